import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.core.credential.KeyCredential;
import com.azure.core.http.netty.NettyAsyncHttpClientBuilder;
import com.azure.core.util.BinaryData;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.File;
import java.io.IOException;
import java.util.Map;
import java.util.Objects;
import reactor.netty.http.client.HttpClient;

/** Over TLS, with the local authority of {@code ingot serve --tls auto} trusted by this client alone. */
public class Tls {
  public static void main(String[] args) throws IOException {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");

    // Where the authority's certificate is; a program that runs elsewhere gets a copy of the file.
    var trust = new ProcessBuilder("ingot", "trust", "--json").redirectError(ProcessBuilder.Redirect.INHERIT).start();
    var authority = new File(BinaryData.fromStream(trust.getInputStream()).toObject(Map.class).get("ca").toString());

    var context = SslContextBuilder.forClient().trustManager(authority).build();
    var http = HttpClient.create().secure(tls -> tls.sslContext(context));
    var client = new ChatCompletionsClientBuilder().endpoint(endpoint).credential(new KeyCredential(key))
        .httpClient(new NettyAsyncHttpClientBuilder(http).build()).buildClient();

    System.out.println(client.complete("What is the capital of France?").getChoice().getMessage().getContent());
  }
}
