package ingot;

import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.EmbeddingsClientBuilder;
import com.azure.ai.inference.ImageEmbeddingsClientBuilder;
import com.azure.core.client.traits.EndpointTrait;
import com.azure.core.client.traits.KeyCredentialTrait;
import com.azure.core.credential.KeyCredential;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** A running {@code ingot serve --tls auto} in a data folder of its own, on a port that the kernel chose. */
final class Ingot {
  static final String KEY = "key-of-the-tests";

  private static final Pattern ADDRESS = Pattern.compile(" serves https?://(\\S+)");

  private final Path folder = Files.createTempDirectory("ingot-java-");
  private final Process process;
  private final String address;

  private Ingot(String config, boolean models, String... arguments) throws IOException, InterruptedException {
    var home = Files.createDirectory(folder.resolve("home"));
    run("cp", "-r", System.getenv("INGOT_TEST_TLS"), home.resolve("tls").toString());
    run("chmod", "700", home.toString());
    for (var part : models ? List.of("engine", "models") : List.<String>of()) {
      run("cp", "-rs", Path.of(System.getenv("INGOT_HOME"), part).toString(), home.toString());
    }
    var command = new ArrayList<>(List.of(System.getenv("INGOT_BIN"), "serve", "--tls", "auto", "--listen", "127.0.0.1:0"));
    command.addAll(List.of(arguments));
    if (config != null) {
      command.addAll(List.of("--config", Files.writeString(folder.resolve("ingot.yaml"), config).toString()));
    }
    var log = folder.resolve("ingot.log");
    var builder = new ProcessBuilder(command).redirectError(log.toFile());
    builder.environment().put("INGOT_HOME", home.toString());
    builder.environment().put("INGOT_KEY", KEY);
    process = builder.start();
    process.getOutputStream().close();

    var line = process.inputReader(StandardCharsets.UTF_8).readLine();
    var found = ADDRESS.matcher(line == null ? "" : line);
    if (!found.find()) {
      process.destroyForcibly().waitFor();
      throw new IOException("ingot did not start: " + Files.readString(log));
    }
    address = found.group(1);
  }

  /** Serves the mock deployments. */
  static Ingot mock() throws IOException, InterruptedException {
    return new Ingot(null, false, "--mock");
  }

  /** Serves a configuration. */
  static Ingot configured(String config) throws IOException, InterruptedException {
    return new Ingot(config, false);
  }

  /** Serves a configuration with the engine and the models of INGOT_HOME. */
  static Ingot engine(String config) throws IOException, InterruptedException {
    return new Ingot(config, true);
  }

  /** The endpoint as a caller writes it; both schemes are served at one port. */
  String at(String scheme) {
    return scheme + "://" + address;
  }

  /** The data folder. */
  Path home() {
    return folder.resolve("home");
  }

  /** A builder of clients for an address below the endpoint, with the key. */
  <T extends EndpointTrait<T> & KeyCredentialTrait<T>> T keyed(T builder, String base) {
    return builder.endpoint(at("https") + base).credential(new KeyCredential(KEY));
  }

  ChatCompletionsClientBuilder chat(String base) {
    return keyed(new ChatCompletionsClientBuilder(), base);
  }

  EmbeddingsClientBuilder embeddings(String base) {
    return keyed(new EmbeddingsClientBuilder(), base);
  }

  ImageEmbeddingsClientBuilder images(String base) {
    return keyed(new ImageEmbeddingsClientBuilder(), base);
  }

  /** How many requests are being answered. */
  int active() throws IOException, InterruptedException {
    var request = HttpRequest.newBuilder(URI.create(at("http") + "/metrics")).header("api-key", KEY).build();
    var metrics = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    return metrics.lines().filter(line -> line.startsWith("http_server_active_requests "))
        .mapToInt(line -> Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1))).sum();
  }

  /** Waits until no request is being answered. */
  void awaitIdle() throws IOException, InterruptedException {
    for (int tries = 0; active() > 0; tries++) {
      if (tries == 400) {
        throw new IOException("requests are still being answered after 20 s");
      }
      Thread.sleep(50);
    }
  }

  /** Ends it as an operator does. */
  void stop() throws IOException, InterruptedException {
    process.destroy();
    if (!process.waitFor(15, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
    }
    if (process.exitValue() != 0) {
      throw new IOException("ingot ended with " + process.exitValue() + ": " + Files.readString(folder.resolve("ingot.log")));
    }
    try (var files = Files.walk(folder)) {
      for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static void run(String... command) throws IOException, InterruptedException {
    var rc = new ProcessBuilder(command).inheritIO().start().waitFor();
    if (rc != 0) {
      throw new IOException(String.join(" ", command) + " ended with " + rc);
    }
  }
}
