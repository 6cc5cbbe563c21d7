import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.core.credential.KeyCredential;
import java.util.Objects;

/** Which model answers. */
public class ModelInfo {
  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
    var client = new ChatCompletionsClientBuilder().endpoint(endpoint).credential(new KeyCredential(key)).buildClient();

    var info = client.getModelInfo();

    System.out.printf("%s: %s by %s%n", info.getModelName(), info.getModelType(), info.getModelProviderName());
  }
}
