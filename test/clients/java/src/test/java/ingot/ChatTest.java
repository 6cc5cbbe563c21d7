package ingot;

import static ingot.Chat.of;
import static ingot.Chat.saying;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.azure.ai.inference.ChatCompletionsClient;
import com.azure.ai.inference.models.ChatCompletions;
import com.azure.ai.inference.models.ChatCompletionsFunctionToolDefinition;
import com.azure.ai.inference.models.ChatCompletionsNamedToolChoice;
import com.azure.ai.inference.models.ChatCompletionsNamedToolChoiceFunction;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatCompletionsResponseFormatJsonObject;
import com.azure.ai.inference.models.ChatCompletionsResponseFormatJsonSchema;
import com.azure.ai.inference.models.ChatCompletionsResponseFormatJsonSchemaDefinition;
import com.azure.ai.inference.models.ChatCompletionsResponseFormatText;
import com.azure.ai.inference.models.ChatCompletionsToolChoicePreset;
import com.azure.ai.inference.models.ChatCompletionsToolDefinition;
import com.azure.ai.inference.models.ChatMessageImageContentItem;
import com.azure.ai.inference.models.ChatMessageImageDetailLevel;
import com.azure.ai.inference.models.ChatMessageImageUrl;
import com.azure.ai.inference.models.ChatMessageTextContentItem;
import com.azure.ai.inference.models.ChatRequestAssistantMessage;
import com.azure.ai.inference.models.ChatRequestDeveloperMessage;
import com.azure.ai.inference.models.ChatRequestMessage;
import com.azure.ai.inference.models.ChatRequestSystemMessage;
import com.azure.ai.inference.models.ChatRequestToolMessage;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.ai.inference.models.ChatRole;
import com.azure.ai.inference.models.CompletionsFinishReason;
import com.azure.ai.inference.models.FunctionDefinition;
import com.azure.ai.inference.models.StreamingChatChoiceUpdate;
import com.azure.core.util.BinaryData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chats of azure-ai-inference with {@code ingot serve --mock}. */
class ChatTest {
  private static final BinaryData CITY = BinaryData.fromObject(Map.of(
      "type", "object", "properties", Map.of("city", Map.of("type", "string")), "required", List.of("city")));
  private static final List<ChatCompletionsToolDefinition> TOOLS = List.of(
      new ChatCompletionsFunctionToolDefinition(new FunctionDefinition("get_weather").setDescription("Tells the weather.").setParameters(CITY)),
      new ChatCompletionsFunctionToolDefinition(new FunctionDefinition("get_time").setParameters(Chat.ANY)));
  private static final BinaryData REQUIRED = BinaryData.fromObject(ChatCompletionsToolChoicePreset.REQUIRED.toString());

  private static Ingot mock;
  private static ChatCompletionsClient client;

  @BeforeAll
  static void start() throws Exception {
    mock = Ingot.mock();
    client = mock.chat("").buildClient();
  }

  @AfterAll
  static void stop() throws Exception {
    mock.stop();
  }

  private static String said(ChatCompletions answer) {
    return answer.getChoice().getMessage().getContent();
  }

  private static void hasTheMembers(ChatCompletions answer) {
    assertTrue(answer.getId().matches("[0-9a-f]{32}"), answer.getId());
    assertTrue(Duration.between(answer.getCreated(), OffsetDateTime.now()).abs().compareTo(Duration.ofMinutes(1)) < 0);
    assertEquals("mock", answer.getModel());
    assertEquals(1, answer.getChoices().size());
    assertEquals(0, answer.getChoice().getIndex());
    assertEquals(CompletionsFinishReason.STOPPED, answer.getChoice().getFinishReason());
    assertEquals(ChatRole.ASSISTANT, answer.getChoice().getMessage().getRole());
    assertEquals("Hello there, world", said(answer));
    assertEquals(List.of(7, 4, 11), List.of(
        answer.getUsage().getPromptTokens(), answer.getUsage().getCompletionTokens(), answer.getUsage().getTotalTokens()));
  }

  @Test
  void anAnswerHasTheMembersOfTheContract() {
    hasTheMembers(client.complete(saying("Hello there, world")));
    hasTheMembers(client.complete("Hello there, world"));
    hasTheMembers(mock.chat("").buildAsyncClient().complete(saying("Hello there, world")).block());
  }

  @Test
  void anyTextSurvives() {
    var text = "Grüße, 世界! 🚀👩‍👩‍👧 e\u0301\n\"quoted\" \\ \u2028";

    assertEquals(text, said(client.complete(text)));
    assertEquals(text, Chat.joined(client.completeStream(saying(text)).stream().toList()));
  }

  @Test
  void historyParametersAndLimits() {
    List<ChatRequestMessage> messages = List.of(
        new ChatRequestSystemMessage("Be brief."), new ChatRequestDeveloperMessage("Be kind."), new ChatRequestUserMessage("One"),
        new ChatRequestAssistantMessage("One"), new ChatRequestUserMessage("a b c d"));
    var settings = new ChatCompletionsOptions(messages).setModel("mock").setTemperature(2.0).setTopP(1.0).setFrequencyPenalty(-2.0)
        .setPresencePenalty(2.0).setSeed(5L).setResponseFormat(new ChatCompletionsResponseFormatText());

    var limited = client.complete(settings.setMaxTokens(2)).getChoice();
    assertEquals("a b", limited.getMessage().getContent());
    assertEquals(CompletionsFinishReason.TOKEN_LIMIT_REACHED, limited.getFinishReason());
    var stopped = client.complete(settings.setMaxTokens(null).setStop(List.of(" d"))).getChoice();
    assertEquals("a b c", stopped.getMessage().getContent());
    assertEquals(CompletionsFinishReason.STOPPED, stopped.getFinishReason());
  }

  @Test
  void picturesOfEveryKindAreShown(@TempDir Path folder) throws Exception {
    var png = Base64.getDecoder().decode(Chat.RED.substring(Chat.RED.indexOf(',') + 1));
    var file = Files.write(folder.resolve("red.png"), png);
    var message = ChatRequestUserMessage.fromContentItems(List.of(
        new ChatMessageTextContentItem("What is this?"),
        new ChatMessageImageContentItem(file, "png"),
        new ChatMessageImageContentItem(new ChatMessageImageUrl(Chat.RED).setDetail(ChatMessageImageDetailLevel.HIGH))));

    assertEquals("What is this?", said(client.complete(of(message))));
  }

  @Test
  void aResponseFormatShapesTheAnswer() {
    Map<String, BinaryData> schema = Map.of(
        "type", BinaryData.fromObject("object"),
        "properties", BinaryData.fromObject(Map.of("n", Map.of("type", "integer", "minimum", 3))),
        "required", BinaryData.fromObject(List.of("n")),
        "additionalProperties", BinaryData.fromObject(false));
    var definition = new ChatCompletionsResponseFormatJsonSchemaDefinition("number", schema).setDescription("A number.").setStrict(true);

    assertEquals("{}", said(client.complete(saying("Hi").setResponseFormat(new ChatCompletionsResponseFormatJsonObject()))));
    assertEquals("{\"n\":3}", said(client.complete(saying("Hi").setResponseFormat(new ChatCompletionsResponseFormatJsonSchema(definition)))));
  }

  @Test
  void toolsAreCalledUntilThereIsAnAnswer() {
    List<ChatRequestMessage> messages = new ArrayList<>(List.of(new ChatRequestUserMessage("How is the weather?")));
    var choice = client.complete(new ChatCompletionsOptions(messages).setTools(TOOLS).setToolChoice(REQUIRED)).getChoice();
    assertEquals(CompletionsFinishReason.TOOL_CALLS, choice.getFinishReason());
    var calls = choice.getMessage().getToolCalls();
    assertEquals(1, calls.size());
    assertEquals("function", calls.get(0).getType());
    assertEquals("get_weather", calls.get(0).getFunction().getName());
    assertEquals("{\"city\":\"\"}", calls.get(0).getFunction().getArguments());

    // Without text the message has no content on the wire.
    for (var asked : List.of(new ChatRequestAssistantMessage(), new ChatRequestAssistantMessage(""))) {
      messages.subList(1, messages.size()).clear();
      messages.add(asked.setToolCalls(calls));
      messages.add(new ChatRequestToolMessage(calls.get(0).getId()).setContent("clear"));
      assertEquals("How is the weather?", said(client.complete(new ChatCompletionsOptions(messages).setTools(TOOLS))));
    }

    var named = BinaryData.fromObject(new ChatCompletionsNamedToolChoice(new ChatCompletionsNamedToolChoiceFunction("get_time")));
    var time = client.complete(saying("What is the time?").setTools(TOOLS).setToolChoice(named));
    assertEquals("get_time", time.getChoice().getMessage().getToolCalls().get(0).getFunction().getName());
  }

  @Test
  void toolsAreCalledInAStream() {
    var updates = client.completeStream(saying("How is the weather?").setTools(TOOLS).setToolChoice(REQUIRED)).stream().toList();
    var deltas = updates.stream().flatMap(update -> update.getChoices().stream()).map(StreamingChatChoiceUpdate::getDelta)
        .filter(delta -> delta.getToolCalls() != null).flatMap(delta -> delta.getToolCalls().stream()).toList();

    assertTrue(deltas.get(0).getId().startsWith("call_"));
    assertEquals("get_weather", deltas.get(0).getFunction().getName());
    assertTrue(deltas.stream().skip(1).allMatch(delta -> delta.getId() == null && delta.getFunction().getName() == null));
    assertEquals("{\"city\":\"\"}", String.join("", deltas.stream().map(delta -> delta.getFunction().getArguments()).toList()));
    assertEquals(CompletionsFinishReason.TOOL_CALLS, updates.get(updates.size() - 1).getChoice().getFinishReason());
  }

  @Test
  void thoughtsAreToldBeforeTheAnswerAsTheSdkHasNoMemberForThem() {
    var answer = client.complete(saying("Hello").setModel("mock-reasoning"));

    assertEquals("<think>The answer is what was said.</think>Hello", said(answer).replace("\n", ""));
  }
}
