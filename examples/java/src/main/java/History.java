import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatRequestAssistantMessage;
import com.azure.ai.inference.models.ChatRequestMessage;
import com.azure.ai.inference.models.ChatRequestSystemMessage;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.core.credential.KeyCredential;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** A conversation: the model remembers nothing, so each request carries what was said. */
public class History {
  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
    var client = new ChatCompletionsClientBuilder().endpoint(endpoint).credential(new KeyCredential(key)).buildClient();

    List<ChatRequestMessage> messages = new ArrayList<>(List.of(new ChatRequestSystemMessage("Answer in one sentence.")));
    for (var question : List.of("What is the capital of France?", "And of Italy?", "Which of the two is larger?")) {
      messages.add(new ChatRequestUserMessage(question));
      var answer = client.complete(new ChatCompletionsOptions(messages).setTemperature(0.0).setMaxTokens(100));
      var text = answer.getChoice().getMessage().getContent();
      messages.add(new ChatRequestAssistantMessage(text));
      System.out.printf("> %s%n%s%n", question, text);
    }
  }
}
