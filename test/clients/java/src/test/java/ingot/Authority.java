package ingot;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The local authority of test/entra, in place of Microsoft Entra ID. */
final class Authority {
  static final String TENANT = "11111111-2222-4333-8444-000000000000";
  static final String USER = "11111111-2222-4333-8444-000000000001";
  static final String STRANGER = "11111111-2222-4333-8444-000000000002";

  private final Path binary = Files.createTempDirectory("ingot-authority-").resolve("authority");
  private final Process process;
  private final String address;

  Authority() throws IOException, InterruptedException {
    var built = new ProcessBuilder("go", "build", "-o", binary.toString(), "./test/entra")
        .directory(Path.of(System.getenv("INGOT_TEST_ROOT")).toFile()).inheritIO().start().waitFor();
    if (built != 0) {
      throw new IOException("go build ./test/entra ended with " + built);
    }
    process = new ProcessBuilder(binary.toString()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    address = process.inputReader(StandardCharsets.UTF_8).readLine();
  }

  /** A configuration with a mock model that admits USER. */
  String config() {
    return """
        entra:
          tenants: [%s]
          audiences: ["api://ingot"]
          first_party: on
          authority: %s
          allow: {objects: [%s]}
        models:
          chat: {provider: mock}
        """.formatted(TENANT, address, USER);
  }

  /** A token for a scope or a resource. */
  String token(String scope, String object, int lifetime) {
    var query = "tid=%s&oid=%s&version=1.0&aud=%s&expires_in=%d".formatted(TENANT, object, scope.replaceAll("/\\.default$", ""), lifetime);
    try {
      var request = HttpRequest.newBuilder(URI.create(address + "/token?" + query)).build();
      return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  void stop() throws IOException, InterruptedException {
    process.destroy();
    process.waitFor();
    Files.delete(binary);
    Files.delete(binary.getParent());
  }
}
