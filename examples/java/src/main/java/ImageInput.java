import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatMessageImageContentItem;
import com.azure.ai.inference.models.ChatMessageTextContentItem;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.core.credential.KeyCredential;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** A question about a picture, for a deployment whose model sees. */
public class ImageInput {
  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
    var client = new ChatCompletionsClientBuilder().endpoint(endpoint).credential(new KeyCredential(key)).buildClient();

    var question = ChatRequestUserMessage.fromContentItems(List.of(
        new ChatMessageTextContentItem("What shape is this, and of which colour?"),
        new ChatMessageImageContentItem(Path.of("..", "pictures", "circle.png"), "png")));
    var answer = client.complete(new ChatCompletionsOptions(List.of(question)).setMaxTokens(100));

    System.out.println(answer.getChoice().getMessage().getContent());
  }
}
