import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatRequestSystemMessage;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.core.credential.KeyCredential;
import java.util.List;

/** One question, one answer. */
public class BasicChat {
  public static void main(String[] args) {
    var client = new ChatCompletionsClientBuilder()
        .endpoint(System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080"))
        .credential(new KeyCredential(System.getenv("INGOT_KEY")))
        .buildClient();

    var answer = client.complete(new ChatCompletionsOptions(List.of(
        new ChatRequestSystemMessage("Be brief."),
        new ChatRequestUserMessage("What is the capital of France?"))));

    System.out.println(answer.getChoice().getMessage().getContent());
    System.out.println(answer.getUsage().getTotalTokens() + " tokens");
  }
}
