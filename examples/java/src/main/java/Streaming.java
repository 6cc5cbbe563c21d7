import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.core.credential.KeyCredential;
import java.util.List;
import java.util.Objects;

/** An answer that is printed as it is written. */
public class Streaming {
  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
    var client = new ChatCompletionsClientBuilder().endpoint(endpoint).credential(new KeyCredential(key)).buildClient();

    var options = new ChatCompletionsOptions(List.of(new ChatRequestUserMessage("Tell me about the moon in three sentences.")));
    for (var update : client.completeStream(options.setTemperature(0.0).setMaxTokens(150))) {
      var text = update.getChoice().getDelta().getContent();
      if (text != null) {
        System.out.print(text);
        System.out.flush();
      }
      if (update.getUsage() != null) {
        System.out.printf("%n(%d tokens, %s)%n", update.getUsage().getCompletionTokens(), update.getChoice().getFinishReason());
      }
    }
  }
}
