package ingot;

import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatMessageImageContentItem;
import com.azure.ai.inference.models.ChatMessageImageUrl;
import com.azure.ai.inference.models.ChatMessageTextContentItem;
import com.azure.ai.inference.models.ChatRequestMessage;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.ai.inference.models.StreamingChatCompletionsUpdate;
import com.azure.core.util.BinaryData;
import java.util.List;
import java.util.stream.Collectors;

/** What the tests of chats say and read. */
final class Chat {
  /** Eight by eight pixels, all red. */
  static final String RED = "data:image/png;base64,"
      + "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP8z4AdMOEQH6QSAM1BAQ/oQeJvAAAAAElFTkSuQmCC";

  /** The parameters of a function that takes none; the SDK sends no function without. */
  static final BinaryData ANY = BinaryData.fromString("{\"type\": \"object\", \"properties\": {}}");

  private Chat() {}

  /** A request of the user's text alone. */
  static ChatCompletionsOptions saying(String text) {
    return of(new ChatRequestUserMessage(text));
  }

  static ChatCompletionsOptions of(ChatRequestMessage... messages) {
    return new ChatCompletionsOptions(List.of(messages));
  }

  /** A user's text and the red picture. */
  static ChatRequestUserMessage showing(String text) {
    return ChatRequestUserMessage.fromContentItems(
        List.of(new ChatMessageTextContentItem(text), new ChatMessageImageContentItem(new ChatMessageImageUrl(RED))));
  }

  /** The text of all updates together. */
  static String joined(List<StreamingChatCompletionsUpdate> updates) {
    return updates.stream()
        .flatMap(update -> update.getChoices().stream())
        .map(choice -> choice.getDelta().getContent())
        .filter(text -> text != null)
        .collect(Collectors.joining());
  }
}
