import com.azure.ai.inference.EmbeddingsClientBuilder;
import com.azure.core.credential.KeyCredential;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/** Ranks a folder of texts by how near they are to a question, which is the argument. */
public class EmbeddingSearch {
  private record Found(double score, String name) {}

  private static double dot(List<Float> a, List<Float> b) {
    double sum = 0;
    for (int i = 0; i < a.size(); i++) {
      sum += a.get(i) * b.get(i);
    }
    return sum;
  }

  private static double cosine(List<Float> a, List<Float> b) {
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  }

  public static void main(String[] args) throws IOException {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
    var client = new EmbeddingsClientBuilder().endpoint(endpoint).credential(new KeyCredential(key)).buildClient();
    var question = args.length > 0 ? String.join(" ", args) : "How do I repair a flat tyre?";

    List<Path> files;
    try (var folder = Files.list(Path.of("..", "texts"))) {
      files = folder.sorted().toList();
    }
    var inputs = new ArrayList<>(List.of(question));
    for (var file : files) {
      inputs.add(Files.readString(file));
    }
    var vectors = client.embed(inputs, null, null, null, "minilm", null).getData().stream().map(item -> item.getEmbeddingList()).toList();

    var found = new ArrayList<Found>();
    for (int i = 0; i < files.size(); i++) {
      found.add(new Found(cosine(vectors.get(0), vectors.get(i + 1)), files.get(i).getFileName().toString().replace(".txt", "")));
    }
    System.out.println(question);
    found.stream().sorted(Comparator.comparing(Found::score).reversed()).forEach(f -> System.out.printf("%6.3f  %s%n", f.score, f.name));
  }
}
