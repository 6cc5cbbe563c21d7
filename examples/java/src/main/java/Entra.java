import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.identity.DefaultAzureCredentialBuilder;

/**
 * A token of Microsoft Entra ID instead of a key: from the environment, a managed identity or {@code az login}, whichever there is.
 * The endpoint's configuration says whose it takes (entra).
 */
public class Entra {
  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");

    // For an endpoint whose audience is an application of yours add .scopes(new String[] {"api://APPLICATION/.default"}).
    var client = new ChatCompletionsClientBuilder().endpoint(endpoint).credential(new DefaultAzureCredentialBuilder().build()).buildClient();

    System.out.println(client.complete("What is the capital of France?").getChoice().getMessage().getContent());
  }
}
