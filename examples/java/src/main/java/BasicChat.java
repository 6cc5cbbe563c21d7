import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatRequestSystemMessage;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.core.credential.KeyCredential;
import java.util.List;
import java.util.Objects;

/** One question, one answer. */
public class BasicChat {
  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
    var client = new ChatCompletionsClientBuilder().endpoint(endpoint).credential(new KeyCredential(key)).buildClient();

    var options = new ChatCompletionsOptions(List.of(
        new ChatRequestSystemMessage("Be brief."),
        new ChatRequestUserMessage("What is the capital of France?")));
    var answer = client.complete(options.setTemperature(0.0).setMaxTokens(100));

    System.out.println(answer.getChoice().getMessage().getContent());
    System.out.printf("%s: %d tokens in, %d out%n",
        answer.getModel(), answer.getUsage().getPromptTokens(), answer.getUsage().getCompletionTokens());
  }
}
