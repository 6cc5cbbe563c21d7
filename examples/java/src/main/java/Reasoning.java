import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.core.credential.KeyCredential;
import java.util.List;
import java.util.Objects;

/**
 * Thoughts and answer of a model that reasons. INGOT_ENDPOINT names such a model, for example
 * https://127.0.0.1:8080/deployments/mock-reasoning.
 */
public class Reasoning {
  private static final String END = "</think>";

  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
    var client = new ChatCompletionsClientBuilder().endpoint(endpoint).credential(new KeyCredential(key)).buildClient();

    var question = new ChatRequestUserMessage("A train leaves at 9:40 and rides for 95 minutes. When does it arrive?");
    var text = client.complete(new ChatCompletionsOptions(List.of(question))).getChoice().getMessage().getContent();

    // In the API's version that this SDK speaks thoughts stand before the answer, as <think>…</think>.
    var end = text.indexOf(END);
    if (end >= 0) {
      System.out.println("Thoughts: " + text.substring(0, end).replaceFirst("<think>", "").strip());
      text = text.substring(end + END.length());
    }
    System.out.println("Answer: " + text.strip());
  }
}
