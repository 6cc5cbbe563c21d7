package ingot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.azure.ai.inference.models.EmbeddingEncodingFormat;
import com.azure.ai.inference.models.EmbeddingInputType;
import com.azure.ai.inference.models.EmbeddingsResult;
import com.azure.ai.inference.models.ImageEmbeddingInput;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.exception.ResourceNotFoundException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Embeddings of azure-ai-inference with {@code ingot serve --mock}. */
class EmbeddingsTest {
  private static final List<String> INPUT = List.of("Hello there", "Good bye");

  private static Ingot mock;

  @BeforeAll
  static void start() throws Exception {
    mock = Ingot.mock();
  }

  @AfterAll
  static void stop() throws Exception {
    mock.stop();
  }

  private static EmbeddingsResult embed(EmbeddingEncodingFormat format) {
    return mock.embeddings("/models").buildClient().embed(INPUT, 16, format, EmbeddingInputType.QUERY, "mock-embedding", null);
  }

  @Test
  void aResultHasTheMembersOfTheContract() {
    var client = mock.embeddings("").buildClient();
    for (var result : List.of(client.embed(INPUT), client.embedWithResponse(INPUT).getValue(),
        mock.embeddings("").buildAsyncClient().embed(INPUT).block())) {
      assertTrue(result.getId().matches("[0-9a-f]{32}"), result.getId());
      assertEquals("mock-embedding", result.getModel());
      assertEquals(List.of(4, 4), List.of(result.getUsage().getPromptTokens(), result.getUsage().getTotalTokens()));
      assertEquals(List.of(0, 1), result.getData().stream().map(item -> item.getIndex()).toList());
      assertTrue(result.getData().stream().allMatch(item -> item.getEmbeddingList().size() == 384));
    }
  }

  @Test
  void numbersOfEveryEncodingAreRead() {
    var floats = embed(EmbeddingEncodingFormat.FLOAT).getData();
    for (var format : List.of(EmbeddingEncodingFormat.INT8, EmbeddingEncodingFormat.UINT8, EmbeddingEncodingFormat.BINARY,
        EmbeddingEncodingFormat.UBINARY)) {
      var bits = format.toString().endsWith("binary");
      var data = embed(format).getData();
      for (int i = 0; i < INPUT.size(); i++) {
        var exact = floats.get(i).getEmbeddingList();
        var coarse = data.get(i).getEmbeddingList();
        assertEquals(bits ? 2 : 16, coarse.size(), format.toString());
        var offset = switch (format.toString()) {
          case "uint8" -> 128;
          case "binary" -> -128;
          default -> 0;
        };
        for (int k = 0; k < 16; k++) {
          if (bits) {
            var set = (Math.round(coarse.get(k / 8)) - offset & 0x80 >> k % 8) != 0;
            assertEquals(exact.get(k) >= 0, set, format + " " + k);
          } else {
            assertEquals(exact.get(k) * 127, coarse.get(k) - offset, 0.51, format + " " + k);
          }
        }
      }
    }
  }

  /** The SDK decodes no base64: its list wants numbers, the text is there for the caller. */
  @Test
  void base64IsReadAsText() {
    var floats = embed(null).getData();
    var texts = embed(EmbeddingEncodingFormat.BASE64).getData();
    for (int i = 0; i < INPUT.size(); i++) {
      assertThrows(RuntimeException.class, texts.get(i)::getEmbeddingList);
      var numbers = ByteBuffer.wrap(Base64.getDecoder().decode(texts.get(i).getEmbedding().toObject(String.class)))
          .order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
      for (var number : floats.get(i).getEmbeddingList()) {
        assertEquals(number, numbers.get());
      }
      assertEquals(0, numbers.remaining());
    }
  }

  @Test
  void aRefusalSaysWhy() {
    var unknown = assertThrows(HttpResponseException.class, () -> embed(EmbeddingEncodingFormat.fromString("foo")));
    assertEquals(422, unknown.getResponse().getStatusCode());
    assertTrue(unknown.getMessage().contains("encoding_format"), unknown.getMessage());

    var chat = mock.embeddings("/deployments/mock").buildClient();
    var wrong = assertThrows(ResourceNotFoundException.class, () -> chat.embed(INPUT));
    assertTrue(wrong.getMessage().contains("does not support embeddings"), wrong.getMessage());
  }

  @Test
  void picturesAreEmbeddedWithTheirTexts(@TempDir Path folder) throws Exception {
    var png = Base64.getDecoder().decode(Chat.RED.substring(Chat.RED.indexOf(',') + 1));
    var file = Files.write(folder.resolve("red.png"), png);
    var inputs = List.of(new ImageEmbeddingInput(file, "png"), new ImageEmbeddingInput(Chat.RED),
        new ImageEmbeddingInput(Chat.RED).setText("a red square"));
    for (var result : List.of(mock.images("").buildClient().embed(inputs), mock.images("").buildAsyncClient().embed(inputs).block())) {
      var vectors = result.getData().stream().map(item -> item.getEmbeddingList()).toList();
      assertEquals("mock-image-embedding", result.getModel());
      assertEquals(vectors.get(0), vectors.get(1));
      assertTrue(!vectors.get(0).equals(vectors.get(2)));
      assertEquals(result.getUsage().getPromptTokens(), result.getUsage().getTotalTokens());
    }

    var broken = List.of(new ImageEmbeddingInput("data:image/png;base64,AA=="));
    var refused = assertThrows(HttpResponseException.class, () -> mock.images("").buildClient().embed(broken));
    assertEquals(422, refused.getResponse().getStatusCode());
    assertEquals(List.of("body", "input", 0, "image"), detail(refused).get("loc"));
  }

  /** The first detail of a refusal. */
  @SuppressWarnings("unchecked")
  private static Map<String, Object> detail(HttpResponseException e) {
    var body = (Map<String, Object>) e.getValue();
    return ((List<Map<String, Object>>) body.get("detail")).get(0);
  }

  @Test
  void manyTextsAreEmbeddedInTheirOrder() {
    var texts = IntStream.range(0, 500).mapToObj(n -> "text " + n).toList();
    var data = mock.embeddings("").buildClient().embed(texts, 4, null, null, null, null).getData();

    var alone = mock.embeddings("").buildClient().embed(List.of("text 499"), 4, null, null, null, null).getData();
    assertEquals(alone.get(0).getEmbeddingList(), data.get(499).getEmbeddingList());
    assertEquals(499, data.get(499).getIndex());
  }
}
