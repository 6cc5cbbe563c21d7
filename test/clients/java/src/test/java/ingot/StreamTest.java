package ingot;

import static ingot.Chat.joined;
import static ingot.Chat.saying;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.azure.ai.inference.models.CompletionsFinishReason;
import com.azure.ai.inference.models.StreamingChatCompletionsUpdate;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.util.HttpClientOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import reactor.core.Exceptions;

/** Streams of azure-ai-inference, and what it shows of those that fail. */
class StreamTest {
  private static final String CONFIG = """
      models:
        good: {provider: mock}
        slow: {provider: mock, mock: {behaviour: count, tokens_per_second: 20, max_tokens: 4096}}
        cut: {provider: mock, mock: {fault: {cut: 3}}}
        breaks: {provider: mock, mock: {fault: {error: 3}}}
        stalls: {provider: mock, mock: {fault: {stall: 3}}, timeouts: {silence: 4s}}
        hangs: {provider: mock, mock: {fault: {stall: 3}}}
        busy: {provider: mock, mock: {fault: {status: 422}}}
      """;

  private static Ingot ingot;

  @BeforeAll
  static void start() throws Exception {
    ingot = Ingot.configured(CONFIG);
  }

  @AfterAll
  static void stop() throws Exception {
    ingot.stop();
  }

  /** What both clients hand over of a stream before its end or its failure, which is put in failure[0]. */
  private static List<List<StreamingChatCompletionsUpdate>> received(String model, String text, Throwable[] failures) {
    var sync = new ArrayList<StreamingChatCompletionsUpdate>();
    try {
      ingot.chat("").buildClient().completeStream(saying(text).setModel(model)).forEach(sync::add);
    } catch (RuntimeException e) {
      failures[0] = Exceptions.unwrap(e);
    }
    var async = new ArrayList<StreamingChatCompletionsUpdate>();
    try {
      ingot.chat("").buildAsyncClient().completeStream(saying(text).setModel(model)).doOnNext(async::add).blockLast();
    } catch (RuntimeException e) {
      failures[1] = Exceptions.unwrap(e);
    }
    return List.of(sync, async);
  }

  @Test
  void everyUpdateHasTheMembersOfTheContract() {
    var failures = new Throwable[2];
    for (var updates : received("good", "Hello there", failures)) {
      assertEquals("Hello there", joined(updates));
      assertEquals(1, updates.stream().map(update -> update.getId() + update.getCreated() + update.getModel()).distinct().count());
      assertEquals("assistant", updates.get(0).getChoice().getDelta().getRole().toString());
      assertTrue(updates.stream().limit(updates.size() - 1).allMatch(u -> u.getUsage() == null && u.getChoice().getFinishReason() == null));
      var last = updates.get(updates.size() - 1);
      assertEquals(CompletionsFinishReason.STOPPED, last.getChoice().getFinishReason());
      assertEquals(List.of(5, 2, 7), List.of(
          last.getUsage().getPromptTokens(), last.getUsage().getCompletionTokens(), last.getUsage().getTotalTokens()));
    }
    assertNull(failures[0]);
    assertNull(failures[1]);
  }

  @Test
  void aLongOneArrivesWholeHoweverItIsCutIntoReads() {
    var text = "Ünïcödé 🚀 ".repeat(2000);
    for (var updates : received("good", text, new Throwable[2])) {
      assertEquals(text, joined(updates));
    }
  }

  @Test
  void aCutOneFailsAfterWhatArrived() {
    var failures = new Throwable[2];
    for (var updates : received("cut", "a b c d e", failures)) {
      assertTrue(List.of("", "a", "a b", "a b c").contains(joined(updates)), joined(updates));
      assertTrue(updates.stream().allMatch(update -> update.getChoice().getFinishReason() == null));
    }
    for (var failure : failures) {
      assertInstanceOf(IOException.class, failure);
    }
  }

  @Test
  void anErrorInAStreamFailsAsACutDoesAndIsAnEmptyUpdateAtMost() {
    var failures = new Throwable[2];
    for (var updates : received("breaks", "a b c d e", failures)) {
      var told = updates.stream().filter(update -> update.getChoices() != null).toList();
      assertTrue(List.of("", "a", "a b", "a b c").contains(joined(told)), joined(told));
      for (var rest : updates.subList(told.size(), updates.size())) {
        assertNull(rest.getId());
        assertThrows(NullPointerException.class, rest::getChoice);
      }
    }
    for (var failure : failures) {
      assertInstanceOf(IOException.class, failure);
    }
  }

  @Test
  void aRefusalIsAnErrorBeforeTheFirstUpdate() {
    var failures = new Throwable[2];
    assertEquals(List.of(List.of(), List.of()), received("busy", "Hello", failures));
    for (var failure : failures) {
      assertEquals(422, assertInstanceOf(HttpResponseException.class, failure).getResponse().getStatusCode());
    }
  }

  @Test
  void updatesArriveAsTheyAreMade() throws Exception {
    var sync = ingot.chat("").buildClient().completeStream(saying("Count").setModel("slow").setMaxTokens(60)).iterator();
    var async = ingot.chat("").buildAsyncClient().completeStream(saying("Count").setModel("slow").setMaxTokens(60)).toIterable().iterator();
    for (var updates : List.of(sync, async)) {
      updates.next();
      assertEquals("1", updates.next().getChoice().getDelta().getContent());
    }
    assertEquals(2, ingot.active());
    ingot.awaitIdle();
  }

  @Test
  void oneThatFallsSilentEndsWithThePatienceOfTheCaller() throws Exception {
    var updates = ingot.chat("").buildAsyncClient().completeStream(saying("a b c d e").setModel("stalls"));
    var seen = new ArrayList<StreamingChatCompletionsUpdate>();
    var failure = assertThrows(RuntimeException.class,
        () -> updates.doOnNext(seen::add).timeout(Duration.ofSeconds(2)).blockLast(Duration.ofSeconds(20)));

    assertInstanceOf(TimeoutException.class, Exceptions.unwrap(failure));
    assertEquals("a b c", joined(seen));
    ingot.awaitIdle();
  }

  @Test
  void oneThatFallsSilentEndsWithThePatienceOfTheConnection() throws Exception {
    var options = new HttpClientOptions().setReadTimeout(Duration.ofMillis(300));
    var updates = ingot.chat("").clientOptions(options).buildClient().completeStream(saying("a b c d e").setModel("hangs"));
    var failure = assertThrows(RuntimeException.class, () -> updates.forEach(update -> assertNotNull(update.getChoice())));

    assertInstanceOf(TimeoutException.class, Exceptions.unwrap(failure));
    ingot.awaitIdle();
  }

  /** The SDK keeps what it read for whoever asks again, and so reads on when nobody does. */
  @Test
  void aCallerWhoLeavesDoesNotEndTheAnswer() throws Exception {
    try (var stream = ingot.chat("").buildClient().completeStream(saying("Count").setModel("slow").setMaxTokens(120)).stream()) {
      assertEquals(3, stream.limit(3).count());
    }
    var left = ingot.chat("").buildAsyncClient().completeStream(saying("Count").setModel("slow").setMaxTokens(120)).take(3).collectList().block();

    assertEquals(3, left.size());
    assertEquals(2, ingot.active());
    ingot.awaitIdle();
  }
}
