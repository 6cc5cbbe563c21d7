import com.openai.azure.AzureOpenAIServiceVersion;
import com.openai.azure.AzureUrlPathMode;
import com.openai.azure.credential.AzureApiKeyCredential;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.embeddings.EmbeddingCreateParams;
import java.util.List;
import java.util.Objects;

/** A client of Azure OpenAI: chat and embeddings of deployments. */
public class AzureOpenAI {
  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");

    // The mode is needed where the host's name is not Azure's.
    var client = OpenAIOkHttpClient.builder().baseUrl(endpoint).credential(AzureApiKeyCredential.create(key))
        .azureServiceVersion(AzureOpenAIServiceVersion.getV2024_10_21()).azureUrlPathMode(AzureUrlPathMode.LEGACY).build();

    // Without a list of models of its own the endpoint knows such names and answers with its default models.
    var question = ChatCompletionCreateParams.builder().model("gpt-4o").addUserMessage("What is the capital of France?").temperature(0);
    try (var stream = client.chat().completions().createStreaming(question.build())) {
      stream.stream().flatMap(chunk -> chunk.choices().stream()).flatMap(choice -> choice.delta().content().stream()).forEach(System.out::print);
    }

    var words = EmbeddingCreateParams.builder().model("text-embedding-3-small").inputOfArrayOfStrings(List.of("a word", "another")).build();
    var vectors = client.embeddings().create(words);
    System.out.printf("%n%d vectors of %d numbers by %s%n", vectors.data().size(), vectors.data().get(0).embedding().size(), vectors.model());
  }
}
