import com.azure.ai.inference.ImageEmbeddingsClientBuilder;
import com.azure.ai.inference.models.ImageEmbeddingInput;
import com.azure.core.credential.KeyCredential;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** Vectors of pictures, the second together with a text. */
public class ImageEmbeddings {
  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
    var client = new ImageEmbeddingsClientBuilder().endpoint(endpoint).credential(new KeyCredential(key)).buildClient();

    var result = client.embed(List.of(
        new ImageEmbeddingInput(Path.of("..", "pictures", "circle.png"), "png"),
        new ImageEmbeddingInput(Path.of("..", "pictures", "square.png"), "png").setText("a square")));

    for (var item : result.getData()) {
      var vector = item.getEmbeddingList();
      System.out.printf("%d: %d numbers, the first is %.4f%n", item.getIndex(), vector.size(), vector.get(0));
    }
    System.out.printf("%s: %d tokens%n", result.getModel(), result.getUsage().getTotalTokens());
  }
}
