package ingot;

import static ingot.Chat.joined;
import static ingot.Chat.of;
import static ingot.Chat.saying;
import static ingot.Chat.showing;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.azure.ai.inference.models.ChatCompletionsFunctionToolDefinition;
import com.azure.ai.inference.models.ChatCompletionsToolChoicePreset;
import com.azure.ai.inference.models.FunctionDefinition;
import com.azure.ai.inference.models.ImageEmbeddingInput;
import com.azure.ai.inference.models.ModelType;
import com.azure.core.exception.ResourceNotFoundException;
import com.azure.core.http.HttpHeaders;
import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.policy.AddHeadersPolicy;
import com.azure.core.util.BinaryData;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Each operation of azure-ai-inference at each address that it reaches. */
class DoorsTest {
  static final List<String> ADDRESSES =
      List.of("", "/models", "/deployments/{name}", "/inference", "/orgs/{org}/inference", "/openai/deployments/{name}");

  private static final Rows ROWS = new Rows(Rows.AZURE);
  private static Ingot mock;

  @BeforeAll
  static void start() throws Exception {
    mock = Ingot.mock();
  }

  @AfterAll
  static void stop() throws Exception {
    mock.stop();
    ROWS.write("java-azure");
  }

  private static String at(String address, String model) {
    return address.replace("{name}", model).replace("{org}", "acme");
  }

  private static boolean azureOpenAI(String address) {
    return address.startsWith("/openai/");
  }

  /** The clients for images, and for what is there, have no parameter for a model: the header names it. */
  private static AddHeadersPolicy deployment(String name) {
    return new AddHeadersPolicy(new HttpHeaders().set(HttpHeaderName.fromString("azureml-model-deployment"), name));
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void chats(String address) {
    var answer = mock.chat(at(address, "mock")).buildClient().complete(saying("Hello there").setModel("mock"));

    assertEquals("Hello there", answer.getChoice().getMessage().getContent());
    ROWS.works(address, "chat/completions");
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void streams(String address) {
    var client = mock.chat(at(address, "mock")).buildClient();
    var updates = client.completeStream(saying("Hello there").setModel("mock")).stream().toList();

    assertEquals("Hello there", joined(updates));
    ROWS.works(address, "chat/completions, streamed");
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void showsAPicture(String address) {
    var answer = mock.chat(at(address, "mock")).buildClient().complete(of(showing("What is this?")).setModel("mock"));

    assertEquals("What is this?", answer.getChoice().getMessage().getContent());
    ROWS.works(address, "chat/completions with images");
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void callsATool(String address) {
    var options = saying("How is the weather?").setModel("mock")
        .setTools(List.of(new ChatCompletionsFunctionToolDefinition(new FunctionDefinition("get_weather").setParameters(Chat.ANY))))
        .setToolChoice(BinaryData.fromObject(ChatCompletionsToolChoicePreset.REQUIRED.toString()));
    var answer = mock.chat(at(address, "mock")).buildClient().complete(options);

    assertEquals("get_weather", answer.getChoice().getMessage().getToolCalls().get(0).getFunction().getName());
    ROWS.works(address, "chat/completions with tools");
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void keepsASchema(String address) {
    var schema = Map.of(
        "type", BinaryData.fromObject("object"),
        "properties", BinaryData.fromObject(Map.of("n", Map.of("type", "integer", "minimum", 3))),
        "required", BinaryData.fromObject(List.of("n")));
    var answer = mock.chat(at(address, "mock")).buildClient().complete(saying("A number").setModel("mock").setJsonFormat("number", schema));

    assertEquals("{\"n\":3}", answer.getChoice().getMessage().getContent());
    ROWS.works(address, "chat/completions with a schema");
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void embeds(String address) {
    var result = mock.embeddings(at(address, "mock-embedding")).buildClient()
        .embed(List.of("Hello", "there"), 8, null, null, "mock-embedding", null);

    assertEquals(List.of(0, 1), result.getData().stream().map(item -> item.getIndex()).toList());
    assertEquals(8, result.getData().get(1).getEmbeddingList().size());
    ROWS.works(address, "embeddings");
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void embedsPictures(String address) {
    var client = mock.images(at(address, "mock-image-embedding")).addPolicy(deployment("mock-image-embedding")).buildClient();
    var pictures = List.of(new ImageEmbeddingInput(Chat.RED), new ImageEmbeddingInput(Chat.RED));
    if (azureOpenAI(address)) {
      assertThrows(ResourceNotFoundException.class, () -> client.embed(pictures));
      ROWS.fails(address, "images/embeddings", "Azure OpenAI has no such operation: 404");
      return;
    }
    var result = client.embed(pictures);

    assertEquals("mock-image-embedding", result.getModel());
    assertEquals(result.getData().get(0).getEmbeddingList(), result.getData().get(1).getEmbeddingList());
    ROWS.works(address, "images/embeddings");
  }

  @ParameterizedTest
  @FieldSource("ADDRESSES")
  void asksWhatIsThere(String address) {
    var client = mock.embeddings(at(address, "mock-embedding")).addPolicy(deployment("mock-embedding")).buildClient();
    if (azureOpenAI(address)) {
      assertThrows(ResourceNotFoundException.class, client::getModelInfo);
      ROWS.fails(address, "info", "Azure OpenAI has no such operation: 404");
      return;
    }
    var info = client.getModelInfo();

    assertEquals("mock-embedding", info.getModelName());
    assertEquals(ModelType.EMBEDDINGS, info.getModelType());
    assertEquals("Ingot", info.getModelProviderName());
    ROWS.works(address, "info");
  }
}
