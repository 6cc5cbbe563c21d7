package ingot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.azure.AzureOpenAIServiceVersion;
import com.openai.azure.AzureUrlPathMode;
import com.openai.azure.credential.AzureApiKeyCredential;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.BadRequestException;
import com.openai.errors.InternalServerException;
import com.openai.errors.NotFoundException;
import com.openai.errors.OpenAIServiceException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionContentPart;
import com.openai.models.chat.completions.ChatCompletionContentPartImage;
import com.openai.models.chat.completions.ChatCompletionContentPartText;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.responses.ResponseCreateParams;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

/** openai-java with {@code ingot serve --mock}, as OpenAI's client and as Azure OpenAI's, over TLS. */
class OpenAITest {
  /** As Azure OpenAI's client, which makes the deployment's path of the root. */
  private static final String AZURE = "/openai";

  static final List<String> ADDRESSES = List.of("/v1", "/openai/v1", "/inference", "/inference/v1", "", "/models",
      "/deployments/{name}", "/openai/deployments/{name}", AZURE);
  static final List<String> ADDRESSES_OF_V1 = List.of("/v1", "/openai/v1", "/inference/v1");

  private static final String FAULTY = """
      models:
        always: {provider: mock, mock: {fault: {status: 429, retry_after: 20ms}}}
        waits: {provider: mock, mock: {fault: {status: 429, retry_after: 300ms, every: 2}}}
        broken-500: {provider: mock, mock: {fault: {status: 500}}}
        breaks: {provider: mock, mock: {fault: {error: 3}}}
        cut: {provider: mock, mock: {fault: {cut: 3}}}
      """;

  private static final Map<String, OpenAIClient> CLIENTS = new HashMap<>();
  private static final Rows ROWS = new Rows(Rows.OPENAI);
  private static Ingot mock;
  private static Ingot faulty;

  @BeforeAll
  static void start() throws Exception {
    mock = Ingot.mock();
    faulty = Ingot.configured(FAULTY);
  }

  @AfterAll
  static void stop() throws Exception {
    mock.stop();
    faulty.stop();
    ROWS.write("java-openai");
  }

  private static OpenAIOkHttpClient.Builder at(Ingot ingot, String address) {
    var builder = OpenAIOkHttpClient.builder();
    if (address.equals(AZURE)) {
      return builder.baseUrl(ingot.at("https")).credential(AzureApiKeyCredential.create(Ingot.KEY))
          .azureServiceVersion(AzureOpenAIServiceVersion.getV2024_10_21()).azureUrlPathMode(AzureUrlPathMode.LEGACY);
    }
    return builder.baseUrl(ingot.at("https") + address).apiKey(Ingot.KEY);
  }

  /** A client at an address, where {name} is the model's. */
  private static OpenAIClient client(String address, String model) {
    return client(address.replace("{name}", model));
  }

  private static OpenAIClient client(String address) {
    return CLIENTS.computeIfAbsent(address, each -> at(mock, each).build());
  }

  private static ChatCompletionCreateParams.Builder chat(String model, String text) {
    return ChatCompletionCreateParams.builder().model(model).addUserMessage(text);
  }

  private static String said(OpenAIClient client, ChatCompletionCreateParams params) {
    return client.chat().completions().create(params).choices().get(0).message().content().orElseThrow();
  }

  private static String joined(List<ChatCompletionChunk> chunks) {
    return String.join("", chunks.stream().flatMap(chunk -> chunk.choices().stream()).map(c -> c.delta().content().orElse("")).toList());
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void chats(String address) {
    var answer = client(address, "mock").chat().completions().create(chat("mock", "Hello there").build()).validate();

    assertEquals("Hello there", answer.choices().get(0).message().content().orElseThrow());
    assertEquals(List.of(5L, 2L, 7L), answer.usage().map(u -> List.of(u.promptTokens(), u.completionTokens(), u.totalTokens())).orElseThrow());
    assertEquals("Hello there", client(address, "mock").async().chat().completions().create(chat("mock", "Hello there").build()).join()
        .choices().get(0).message().content().orElseThrow());
    ROWS.works(address, "chat/completions");
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void streams(String address) {
    var params = chat("mock", "Hello there").streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build());
    var accumulator = ChatCompletionAccumulator.create();
    try (var stream = client(address, "mock").chat().completions().createStreaming(params.build())) {
      stream.stream().forEach(accumulator::accumulate);
    }

    assertEquals("Hello there", accumulator.chatCompletion().choices().get(0).message().content().orElseThrow());
    assertEquals(7, accumulator.chatCompletion().usage().orElseThrow().totalTokens());
    ROWS.works(address, "chat/completions, streamed");
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void showsAPicture(String address) {
    var parts = List.of(
        ChatCompletionContentPart.ofText(ChatCompletionContentPartText.builder().text("What is this?").build()),
        ChatCompletionContentPart.ofImageUrl(ChatCompletionContentPartImage.builder()
            .imageUrl(ChatCompletionContentPartImage.ImageUrl.builder().url(Chat.RED).build()).build()));
    var params = ChatCompletionCreateParams.builder().model("mock").addUserMessageOfArrayOfContentParts(parts).build();

    assertEquals("What is this?", said(client(address, "mock"), params));
    ROWS.works(address, "chat/completions with images");
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void callsToolsUntilThereIsAnAnswer(String address) {
    var weather = FunctionDefinition.builder().name("get_weather").parameters(FunctionParameters.builder()
        .putAdditionalProperty("type", JsonValue.from("object"))
        .putAdditionalProperty("properties", JsonValue.from(Map.of("city", Map.of("type", "string"))))
        .putAdditionalProperty("required", JsonValue.from(List.of("city"))).build()).build();
    var params = chat("mock", "How is the weather?").addFunctionTool(weather);
    var message = client(address, "mock").chat().completions()
        .create(params.toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED).build()).choices().get(0).message();
    var call = message.toolCalls().orElseThrow().get(0).asFunction();
    assertEquals("get_weather", call.function().name());
    assertEquals("{\"city\":\"\"}", call.function().arguments());

    params.addMessage(message).addMessage(ChatCompletionToolMessageParam.builder().toolCallId(call.id()).content("clear").build());
    assertEquals("How is the weather?", said(client(address, "mock"), params.toolChoice(ChatCompletionToolChoiceOption.Auto.AUTO).build()));
    ROWS.works(address, "chat/completions with tools");
  }

  /** What an answer is to be; the SDK makes a schema of it. */
  public static class Weather {
    public String city;
    public int days;
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void keepsASchema(String address) {
    var params = chat("mock", "How is the weather?").responseFormat(Weather.class).build();
    var weather = client(address, "mock").chat().completions().create(params).choices().get(0).message().content().orElseThrow();

    assertEquals("", weather.city);
    assertEquals(0, weather.days);
    ROWS.works(address, "chat/completions with a schema");
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void embeds(String address) {
    var params = EmbeddingCreateParams.builder().model("mock-embedding").inputOfArrayOfStrings(List.of("Hello", "there")).dimensions(8);
    var data = client(address, "mock-embedding").embeddings().create(params.build()).validate().data();
    assertEquals(List.of(8, 8), data.stream().map(item -> item.embedding().size()).toList());

    var exact = client(address, "mock-embedding").embeddings().create(params.encodingFormat(EmbeddingCreateParams.EncodingFormat.FLOAT).build()).data();
    assertEquals(exact.get(1).embedding(), data.get(1).embedding());
    ROWS.works(address, "embeddings");
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void completesTexts(String address) {
    var params = CompletionCreateParams.builder().model("mock").prompt("Hello there").build();
    assertEquals("Hello there", client(address, "mock").completions().create(params).choices().get(0).text());

    try (var stream = client(address, "mock").completions().createStreaming(params)) {
      assertEquals("Hello there", String.join("", stream.stream().map(chunk -> chunk.choices().get(0).text()).toList()));
    }
    ROWS.works(address, "completions");
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES_OF_V1")
  void listsTheModelsAndResponds(String address) {
    var client = client(address);
    assertTrue(client.models().list().items().stream().anyMatch(model -> model.id().equals("mock")));
    assertEquals("mock", client.models().retrieve("mock").id());
    ROWS.works(address, "models");

    var params = ResponseCreateParams.builder().model("mock").input("Hello there").build();
    var response = client.responses().create(params);
    assertEquals("Hello there", response.output().get(0).asMessage().content().get(0).asOutputText().text());
    try (var stream = client.responses().createStreaming(params)) {
      var text = stream.stream().flatMap(event -> event.outputTextDelta().stream()).map(delta -> delta.delta()).toList();
      assertEquals("Hello there", String.join("", text));
    }
    ROWS.works(address, "responses");
  }

  /** The SDK asks for one model, and for a response, below a deployment, where Azure has neither. */
  @Test
  void listsTheModelsOfAzureOpenAIAndIsRefusedTheRest() {
    var client = client(AZURE);
    assertTrue(client.models().list().items().stream().anyMatch(model -> model.id().equals("mock")));
    ROWS.works(AZURE, "models");

    assertThrows(NotFoundException.class, () -> client.models().retrieve("mock"));
    var params = ResponseCreateParams.builder().model("mock").input("Hello there").build();
    assertThrows(NotFoundException.class, () -> client.responses().create(params));
    ROWS.fails(AZURE, "responses", "the SDK asks below a deployment, where Azure OpenAI has no such operation: 404");
  }

  /** Told nothing else, it takes a host that is not Azure's for one of v1, with the key in Azure's header. */
  @Test
  void azuresKeyIsTakenAtEveryAddress() {
    for (var address : List.of("", "/v1", "/openai/v1")) {
      var client = OpenAIOkHttpClient.builder().baseUrl(mock.at("https") + address).credential(AzureApiKeyCredential.create(Ingot.KEY)).build();
      assertEquals("Hello", said(client, chat("mock", "Hello").build()));
    }
  }

  @ParameterizedTest
  @CsvSource({"/v1", "/openai"})
  void errorsAreOfTheirClass(String address) {
    var hello = chat("mock", "Hello").build();
    var client = client(address);
    var wrong = address.equals(AZURE) ? at(mock, address).credential(AzureApiKeyCredential.create("wrong")) : at(mock, address).apiKey("wrong");
    assertEquals(401, assertThrows(UnauthorizedException.class, () -> said(wrong.build(), hello)).statusCode());
    var unknown = assertThrows(NotFoundException.class, () -> said(client, chat("nobody", "Hello").build()));
    assertEquals(address.equals(AZURE) ? "DeploymentNotFound" : "model_not_found", unknown.code().orElseThrow());
    var range = assertThrows(BadRequestException.class, () -> said(client, chat("mock", "Hello").temperature(2.5).build()));
    assertEquals("temperature", range.param().orElseThrow());
    assertTrue(range.headers().values("x-request-id").get(0).matches("[0-9a-f-]{36}"));
    var filtered = assertThrows(BadRequestException.class, () -> said(client, chat("mock", "mock:filter").build()));
    assertEquals("content_filter", filtered.code().orElseThrow());
  }

  @Test
  void failuresAreRetriedAndWaitedFor() {
    var none = at(faulty, "/v1").maxRetries(0).build();
    assertThrows(RateLimitException.class, () -> said(none, chat("always", "Hello").build()));
    assertThrows(RateLimitException.class, () -> said(at(faulty, "/v1").build(), chat("always", "Hello").build()));
    assertThrows(InternalServerException.class, () -> said(none, chat("broken-500", "Hello").build()));

    long begun = System.nanoTime();
    for (int i = 0; i < 2; i++) {
      assertEquals("Hello", said(at(faulty, "/v1").build(), chat("waits", "Hello").build()));
    }
    assertTrue(System.nanoTime() - begun >= 300_000_000);
  }

  @Test
  void aStreamThatFailsThrowsAfterWhatArrived() {
    for (var model : List.of("breaks", "cut")) {
      var chunks = new ArrayList<ChatCompletionChunk>();
      var params = chat(model, "a b c d e").build();
      var error = assertThrows(RuntimeException.class, () -> {
        try (var stream = at(faulty, "/v1").build().chat().completions().createStreaming(params)) {
          stream.stream().forEach(chunks::add);
        }
      });
      assertTrue(List.of("", "a", "a b", "a b c").contains(joined(chunks)), joined(chunks));
      if (model.equals("breaks")) {
        assertEquals("upstream_error", assertInstanceOf(OpenAIServiceException.class, error).code().orElse(error.toString()));
      }
    }
  }

  @Test
  void aCallerWhoLeavesEndsTheAnswer() throws Exception {
    try (var stream = client("/v1").chat().completions().createStreaming(chat("mock-long", "Count").build())) {
      assertEquals(3, stream.stream().limit(3).count());
    }
    mock.awaitIdle();
  }
}
