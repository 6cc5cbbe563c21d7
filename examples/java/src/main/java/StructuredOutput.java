import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatCompletionsResponseFormatJsonSchema;
import com.azure.ai.inference.models.ChatCompletionsResponseFormatJsonSchemaDefinition;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.core.credential.KeyCredential;
import com.azure.core.util.BinaryData;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** An answer that is JSON of a given schema, read into a record. */
public class StructuredOutput {
  public record Recipe(String name, int minutes, List<String> ingredients) {}

  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
    var client = new ChatCompletionsClientBuilder().endpoint(endpoint).credential(new KeyCredential(key)).buildClient();

    var schema = Map.of(
        "type", BinaryData.fromObject("object"),
        "properties", BinaryData.fromString("""
            {
              "name": {"type": "string", "maxLength": 40},
              "minutes": {"type": "integer", "minimum": 1, "maximum": 240},
              "ingredients": {"type": "array", "items": {"type": "string", "maxLength": 30}, "minItems": 1, "maxItems": 6}
            }"""),
        "required", BinaryData.fromObject(List.of("name", "minutes", "ingredients")),
        "additionalProperties", BinaryData.fromObject(false));
    var format = new ChatCompletionsResponseFormatJsonSchema(
        new ChatCompletionsResponseFormatJsonSchemaDefinition("recipe", schema).setStrict(true));

    var options = new ChatCompletionsOptions(List.of(new ChatRequestUserMessage("Write a recipe for a simple soup.")));
    var answer = client.complete(options.setResponseFormat(format).setTemperature(0.0).setMaxTokens(400));

    var recipe = BinaryData.fromString(answer.getChoice().getMessage().getContent()).toObject(Recipe.class);
    System.out.printf("'%s' takes %d min and %s%n", recipe.name(), recipe.minutes(), recipe.ingredients());
  }
}
