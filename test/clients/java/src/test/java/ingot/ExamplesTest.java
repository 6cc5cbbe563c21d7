package ingot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The programs of examples/java with {@code ingot serve --mock}; EmbeddingSearch is EngineTest's. */
class ExamplesTest {
  /** What each prints. */
  private static final Map<String, String> PRINTS = Map.ofEntries(
      Map.entry("BasicChat", "What is the capital of France?\nmock: 16 tokens in, 7 out\n"),
      Map.entry("Streaming", "Tell me about the moon in three sentences.\n(9 tokens, stop)\n"),
      Map.entry("History", "> What is the capital of France?\nWhat is the capital of France?\n> And of Italy?\nAnd of Italy?\n"
          + "> Which of the two is larger?\nWhich of the two is larger?\n"),
      Map.entry("StructuredOutput", "'' takes 1 min and []\n"),
      Map.entry("ImageInput", "What shape is this, and of which colour?\n"),
      Map.entry("TextCompletion", "Once upon a time there was\n(mock, stop)\n"),
      Map.entry("ModelInfo", "mock: chat_completion by Ingot\n"),
      Map.entry("Async", "What is the capital of France?\nWhat is the capital of Italy?\nWhat is the capital of Spain?\nCount to five.\n"),
      Map.entry("GitHubModels", "What is the capital of France?\n(mock)\n"),
      Map.entry("AzureOpenAI", "What is the capital of France?\n2 vectors of 384 numbers by mock-embedding\n"));

  private static Ingot mock;

  @BeforeAll
  static void start() throws Exception {
    mock = Ingot.mock();
  }

  @AfterAll
  static void stop() throws Exception {
    mock.stop();
  }

  static Set<String> printing() {
    return new TreeSet<>(PRINTS.keySet());
  }

  @ParameterizedTest
  @MethodSource("printing")
  void prints(String name) throws Exception {
    assertEquals(PRINTS.get(name), Example.run(mock, name));
  }

  @Test
  void theCommandOfTheReadmeRunsOne() throws Exception {
    var store = Example.trust().get(0).replaceFirst(".*=", "");
    var builder = new ProcessBuilder("mvn", "-q", "--offline", "-Dmaven.repo.local=" + System.getenv("INGOT_TEST_REPOSITORY"),
        "compile", "exec:exec", "-Dmain=ModelInfo", "-DtrustStore=" + store).redirectErrorStream(true)
        .directory(Path.of(System.getenv("INGOT_TEST_PROJECT")).toFile());
    builder.environment().put("INGOT_ENDPOINT", mock.at("https"));
    builder.environment().put("INGOT_KEY", Ingot.KEY);
    var process = builder.start();
    var printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertEquals(0, process.waitFor(), printed);
    assertTrue(printed.contains(PRINTS.get("ModelInfo")), printed);
  }

  @Test
  void everyExampleIsRun() throws Exception {
    var expected = new TreeSet<>(PRINTS.keySet());
    expected.addAll(List.of("EmbeddingSearch", "Entra", "ImageEmbeddings", "Reasoning", "Tls", "Tools"));
    try (var files = Files.list(Path.of(System.getenv("INGOT_TEST_ROOT"), "examples", "java", "src", "main", "java"))) {
      assertEquals(expected, new TreeSet<>(files.map(file -> file.getFileName().toString().replace(".java", "")).toList()));
    }
  }

  @Test
  void toolsCallsTheFunction() throws Exception {
    var printed = Example.run(mock, "Tools").lines().toList();

    assertTrue(printed.get(0).matches("get_weather\\(\\{\"city\":\"\",\"unit\":\"celsius\"\\}\\) = \\{.*\"temperature\":21.*\\}"), printed.get(0));
    assertEquals("How is the weather in Paris?", printed.get(1));
  }

  @Test
  void imageEmbeddingsGivesAVectorForEach() throws Exception {
    var printed = Example.run(mock, "ImageEmbeddings").lines().toList();

    assertTrue(printed.get(0).startsWith("0: 384 numbers"), printed.get(0));
    assertTrue(printed.get(1).startsWith("1: 384 numbers"), printed.get(1));
    assertTrue(printed.get(2).startsWith("mock-image-embedding: "), printed.get(2));
  }

  @Test
  void reasoningTellsThoughtsFromTheAnswer() throws Exception {
    var environment = Map.of("INGOT_ENDPOINT", mock.at("https") + "/deployments/mock-reasoning", "INGOT_KEY", Ingot.KEY);

    assertEquals("Thoughts: The answer is what was said.\nAnswer: A train leaves at 9:40 and rides for 95 minutes. When does it arrive?\n",
        Example.run(environment, Example.trust(), "Reasoning"));
  }

  @Test
  void tlsTrustsTheAuthorityByItself(@TempDir Path folder) throws Exception {
    var command = Files.writeString(folder.resolve("ingot"), "#!/bin/sh\nexec '" + System.getenv("INGOT_BIN") + "' \"$@\"\n");
    Files.setPosixFilePermissions(command, PosixFilePermissions.fromString("rwx------"));
    var environment = Map.of("INGOT_ENDPOINT", mock.at("https"), "INGOT_KEY", Ingot.KEY, "INGOT_HOME", mock.home().toString(),
        "PATH", folder + ":" + System.getenv("PATH"));

    assertEquals("What is the capital of France?\n", Example.run(environment, List.of(), "Tls"));
  }

  @Test
  void withoutTheTruststoreNothingIsTrusted() {
    var environment = Map.of("INGOT_ENDPOINT", mock.at("https"), "INGOT_KEY", Ingot.KEY);
    var refused = assertThrows(IOException.class, () -> Example.run(environment, List.of(), "ModelInfo"));

    assertTrue(refused.getMessage().contains("PKIX path building failed"), refused.getMessage());
  }

  @Test
  void withoutAKeyThereIsAHint() {
    var refused = assertThrows(IOException.class, () -> Example.run(Map.of(), List.of(), "BasicChat"));

    assertTrue(refused.getMessage().contains("Set INGOT_KEY"), refused.getMessage());
  }

  /** In the place of Azure's service for managed identities is one that hands over a token of the local authority. */
  @Test
  void entraComesWithAToken() throws Exception {
    var authority = new Authority();
    var identity = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    identity.createContext("/", exchange -> {
      var resource = exchange.getRequestURI().getRawQuery().replaceAll(".*resource=([^&]*).*", "$1");
      var token = authority.token(URLDecoder.decode(resource, StandardCharsets.UTF_8), Authority.USER, 3600);
      var body = """
          {"access_token": "%s", "expires_on": "%d", "resource": "r", "token_type": "Bearer"}
          """.formatted(token, System.currentTimeMillis() / 1000 + 3600).getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().add("Content-Type", "application/json");
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    identity.start();
    var ingot = Ingot.configured(authority.config());

    assertEquals("What is the capital of France?\n", Example.run(Map.of(
        "INGOT_ENDPOINT", ingot.at("https"),
        "AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential",
        "IDENTITY_ENDPOINT", "http://127.0.0.1:" + identity.getAddress().getPort() + "/token",
        "IDENTITY_HEADER", "secret-of-the-tests"), Example.trust(), "Entra"));
    ingot.stop();
    identity.stop(0);
    authority.stop();
  }
}
