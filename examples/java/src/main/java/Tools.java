import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.models.ChatCompletionsFunctionToolDefinition;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatCompletionsToolDefinition;
import com.azure.ai.inference.models.ChatRequestAssistantMessage;
import com.azure.ai.inference.models.ChatRequestMessage;
import com.azure.ai.inference.models.ChatRequestToolMessage;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.ai.inference.models.FunctionDefinition;
import com.azure.core.credential.KeyCredential;
import com.azure.core.util.BinaryData;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A function of this program that the model may call. */
public class Tools {
  /** Stands for a service that knows. */
  private static Map<String, Object> getWeather(Map<?, ?> arguments) {
    var celsius = "celsius".equals(arguments.get("unit"));
    return Map.of("city", arguments.get("city"), "sky", "clear", "temperature", celsius ? 21 : 70);
  }

  public static void main(String[] args) {
    var endpoint = System.getenv().getOrDefault("INGOT_ENDPOINT", "https://127.0.0.1:8080");
    var key = Objects.requireNonNull(System.getenv("INGOT_KEY"), "Set INGOT_KEY to a key of the endpoint; ingot serve says where its own is.");
    var client = new ChatCompletionsClientBuilder().endpoint(endpoint).credential(new KeyCredential(key)).buildClient();

    List<ChatCompletionsToolDefinition> tools = List.of(new ChatCompletionsFunctionToolDefinition(
        new FunctionDefinition("get_weather").setDescription("Tells the weather of a city.").setParameters(BinaryData.fromString("""
            {
              "type": "object",
              "properties": {
                "city": {"type": "string", "description": "The name of the city."},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}
              },
              "required": ["city", "unit"],
              "additionalProperties": false
            }"""))));

    List<ChatRequestMessage> messages = new ArrayList<>(List.of(new ChatRequestUserMessage("How is the weather in Paris?")));
    var options = new ChatCompletionsOptions(messages).setTools(tools).setTemperature(0.0).setMaxTokens(200);

    // Required, so that a small model calls it too; without it the model decides.
    var calls = client.complete(options.setToolChoice(BinaryData.fromObject("required"))).getChoice().getMessage().getToolCalls();
    messages.add(new ChatRequestAssistantMessage().setToolCalls(calls));
    for (var call : calls) {
      var arguments = call.getFunction().getArguments();
      var result = BinaryData.fromObject(getWeather(BinaryData.fromString(arguments).toObject(Map.class))).toString();
      System.out.printf("%s(%s) = %s%n", call.getFunction().getName(), arguments, result);
      messages.add(new ChatRequestToolMessage(call.getId()).setContent(result));
    }
    var answer = client.complete(options.setToolChoice(BinaryData.fromObject("none")));
    System.out.println(answer.getChoice().getMessage().getContent());
  }
}
