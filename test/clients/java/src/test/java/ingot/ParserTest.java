package ingot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Which streams the SDK can read, from a server that says what it is told: the Java column of the table in doc/protocol.md §3.8. */
class ParserTest {
  private static final String CHUNK = "{\"id\":\"1\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}";
  private static final String DONE = "data: [DONE]\n\n";

  /** A stream, and what is read of it; null where that fails. */
  private record Case(String name, String stream, List<String> read) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Case> cases() {
    var ok = List.of("Hi");
    return List.of(
        new Case("as the contract has it", "data: " + CHUNK + "\n\n" + DONE, ok),
        new Case("without a space", "data:" + CHUNK + "\n\ndata:[DONE]\n\n", ok),
        new Case("with CRLF", "data: " + CHUNK + "\r\n\r\ndata: [DONE]\r\n\r\n", ok),
        new Case("without an end", "data: " + CHUNK + "\n\n", ok),
        new Case("a comment", ": still here\n\ndata: " + CHUNK + "\n\n" + DONE, null),
        new Case("a field of another name", "event: chunk\ndata: " + CHUNK + "\n\n" + DONE, null),
        new Case("usage without choices", "data: {\"choices\":[],\"usage\":{\"total_tokens\":1}}\n\n" + DONE, List.of()),
        new Case("no choices at all, which the caller stumbles over", "data: {\"error\":{}}\n\n" + DONE, null),
        new Case("an unknown finish reason", "data: " + CHUNK.replace("\"delta\"", "\"finish_reason\":\"other\",\"delta\"") + "\n\n" + DONE, ok));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void reads(Case each) throws Exception {
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", exchange -> {
      exchange.getResponseHeaders().add("Content-Type", "text/event-stream");
      exchange.sendResponseHeaders(200, 0);
      exchange.getResponseBody().write(each.stream.getBytes(StandardCharsets.UTF_8));
      exchange.close();
    });
    server.start();
    var client = new ChatCompletionsClientBuilder().endpoint("http://127.0.0.1:" + server.getAddress().getPort()).buildClient();
    var texts = client.completeStream(Chat.saying("Hello")).stream()
        .flatMap(update -> update.getChoices().stream()).map(choice -> choice.getDelta().getContent());
    if (each.read == null) {
      assertThrows(RuntimeException.class, texts::toList);
    } else {
      assertEquals(each.read, texts.toList());
    }
    server.stop(0);
  }
}
