package ingot;

import static ingot.Chat.joined;
import static ingot.Chat.saying;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.CompletionsFinishReason;
import com.azure.core.util.BinaryData;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** azure-ai-inference, and the examples that need a model, with smollm2 and minilm on the real engine. */
class EngineTest {
  private static final String CONFIG = """
      models:
        smollm2: {local: smollm2, threads: 1, slots: 1, context: 2048, keep_alive: forever}
        minilm: {local: minilm, threads: 1, keep_alive: forever}
      """;

  private static Ingot engine;

  @BeforeAll
  static void start() throws Exception {
    engine = Ingot.engine(CONFIG);
  }

  @AfterAll
  static void stop() throws Exception {
    engine.stop();
  }

  private static ChatCompletionsOptions asking(String text) {
    return saying(text).setTemperature(0.0).setSeed(7L).setMaxTokens(32);
  }

  @Test
  void aRealAnswerWholeAndStreamed() {
    var client = engine.chat("").buildClient();
    var whole = client.complete(asking("What is the capital of France?"));
    var updates = client.completeStream(asking("What is the capital of France?")).stream().toList();

    assertTrue(whole.getChoice().getMessage().getContent().contains("Paris"), whole.getChoice().getMessage().getContent());
    assertEquals(CompletionsFinishReason.STOPPED, whole.getChoice().getFinishReason());
    assertEquals("smollm2", whole.getModel());
    assertEquals(whole.getChoice().getMessage().getContent(), joined(updates));
    assertEquals(whole.getUsage().getTotalTokens(), updates.get(updates.size() - 1).getUsage().getTotalTokens());
  }

  @Test
  void aRealAnswerIsHeldToASchema() {
    Map<String, BinaryData> schema = Map.of(
        "type", BinaryData.fromObject("object"),
        "properties", BinaryData.fromObject(Map.of("capital", Map.of("type", "string", "maxLength", 30))),
        "required", BinaryData.fromObject(List.of("capital")),
        "additionalProperties", BinaryData.fromObject(false));
    var answer = engine.chat("").buildClient().complete(asking("What is the capital of France?").setJsonFormat("answer", schema));

    var read = BinaryData.fromString(answer.getChoice().getMessage().getContent()).toObject(Map.class);
    assertEquals("[capital]", read.keySet().toString());
  }

  @Test
  void theExamplesFindAnAnswerAndTheNearestText() throws Exception {
    assertTrue(Example.run(engine, "BasicChat").contains("Paris"));
    var ranking = Example.run(engine, "EmbeddingSearch", "How do I repair a flat tyre?").lines().toList();
    assertTrue(ranking.get(1).endsWith("bicycle"), String.join("\n", ranking));
    assertEquals(9, ranking.size());
  }
}
