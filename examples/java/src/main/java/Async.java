import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.core.credential.KeyCredential;
import java.util.List;
import java.util.Objects;
import reactor.core.publisher.Flux;

/** Several questions at once, answered in their order, and a stream. */
public class Async {
  private static ChatCompletionsOptions asking(String question) {
    return new ChatCompletionsOptions(List.of(new ChatRequestUserMessage(question))).setTemperature(0.0).setMaxTokens(100);
  }

  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
    var client = new ChatCompletionsClientBuilder().endpoint(endpoint).credential(new KeyCredential(key)).buildAsyncClient();

    Flux.just("What is the capital of France?", "What is the capital of Italy?", "What is the capital of Spain?")
        .flatMapSequential(question -> client.complete(asking(question)))
        .doOnNext(answer -> System.out.println(answer.getChoice().getMessage().getContent()))
        .blockLast();

    client.completeStream(asking("Count to five."))
        .mapNotNull(update -> update.getChoice().getDelta().getContent())
        .doOnNext(System.out::print)
        .blockLast();
    System.out.println();
  }
}
