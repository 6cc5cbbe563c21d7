import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.completions.CompletionCreateParams;
import java.util.Objects;

/** A text that the model goes on with, by OpenAI's client. */
public class TextCompletion {
  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");

    // At this address the name of no deployment means the default one; at endpoint + "/v1" it must be a deployment's.
    var client = OpenAIOkHttpClient.builder().baseUrl(endpoint).apiKey(key).build();
    var answer = client.completions().create(CompletionCreateParams.builder()
        .model("default").prompt("Once upon a time there was").maxTokens(40).temperature(0).build());

    var choice = answer.choices().get(0);
    System.out.printf("%s%n(%s, %s)%n", choice.text(), answer.model(), choice.finishReason());
  }
}
