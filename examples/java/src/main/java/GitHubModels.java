import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatRequestSystemMessage;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.core.credential.KeyCredential;
import java.util.List;
import java.util.Objects;

/** A sample of GitHub Models' time: only the address is another. */
public class GitHubModels {
  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
    var client = new ChatCompletionsClientBuilder().endpoint(endpoint + "/inference").credential(new KeyCredential(key)).buildClient();

    var options = new ChatCompletionsOptions(List.of(
        new ChatRequestSystemMessage(""),
        new ChatRequestUserMessage("What is the capital of France?")));
    var answer = client.complete(options.setModel("openai/gpt-4o").setTemperature(1.0).setTopP(1.0).setMaxTokens(100));

    System.out.printf("%s%n(%s)%n", answer.getChoice().getMessage().getContent(), answer.getModel());
  }
}
