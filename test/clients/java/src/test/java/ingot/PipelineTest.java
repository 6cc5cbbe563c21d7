package ingot;

import static ingot.Chat.saying;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.azure.ai.inference.ChatCompletionsClient;
import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.ModelServiceVersion;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ExtraParameters;
import com.azure.core.credential.KeyCredential;
import com.azure.core.exception.ClientAuthenticationException;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.exception.ResourceNotFoundException;
import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.HttpPipelineCallContext;
import com.azure.core.http.HttpPipelineNextPolicy;
import com.azure.core.http.HttpPipelineNextSyncPolicy;
import com.azure.core.http.HttpRequest;
import com.azure.core.http.HttpResponse;
import com.azure.core.http.policy.FixedDelayOptions;
import com.azure.core.http.policy.HttpPipelinePolicy;
import com.azure.core.http.policy.RetryOptions;
import com.azure.core.http.rest.RequestOptions;
import com.azure.core.util.BinaryData;
import com.azure.core.util.Header;
import com.azure.core.util.HttpClientOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What the pipeline of azure-ai-inference sends and does: headers, versions, errors, retries, patience. */
class PipelineTest {
  private static final String CONFIG = """
      models:
        good: {provider: mock}
        waits: {provider: mock, mock: {fault: {status: 429, retry_after: 300ms, every: 2}}}
        always: {provider: mock, mock: {fault: {status: 429, retry_after: 20ms}}}
        refuses: {provider: mock, mock: {fault: {status: 429}}}
        broken-500: {provider: mock, mock: {fault: {status: 500}}}
        broken-502: {provider: mock, mock: {fault: {status: 502}}}
        broken-503: {provider: mock, mock: {fault: {status: 503}}}
        broken-504: {provider: mock, mock: {fault: {status: 504}}}
        broken-408: {provider: mock, mock: {fault: {status: 408}}}
        broken-403: {provider: mock, mock: {fault: {status: 403}}}
        broken-422: {provider: mock, mock: {fault: {status: 422}}}
        stalls: {provider: mock, mock: {fault: {stall: 1}}}
        slow: {provider: mock, mock: {first_token: 2s}}
        thinks: {provider: mock, mock: {behaviour: reasoning}}
        embeds: {provider: mock, mock: {behaviour: embedding}}
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

  /** Keeps each attempt with its answer. */
  private static class Attempts implements HttpPipelinePolicy {
    final List<HttpRequest> requests = new ArrayList<>();
    final List<HttpResponse> responses = new ArrayList<>();

    @Override
    public Mono<HttpResponse> process(HttpPipelineCallContext context, HttpPipelineNextPolicy next) {
      requests.add(context.getHttpRequest());
      return next.process().doOnNext(responses::add);
    }

    @Override
    public HttpResponse processSync(HttpPipelineCallContext context, HttpPipelineNextSyncPolicy next) {
      requests.add(context.getHttpRequest());
      var response = next.processSync();
      responses.add(response);
      return response;
    }
  }

  private static ChatCompletionsClient at(String deployment) {
    return ingot.chat("/deployments/" + deployment).buildClient();
  }

  private static String said(ChatCompletionsClient client, ChatCompletionsOptions options) {
    return client.complete(options).getChoice().getMessage().getContent();
  }

  @Test
  void requestsCarryWhatTheContractsTableSays() {
    var seen = new Attempts();
    ingot.chat("/models").addPolicy(seen).buildClient().complete(saying("Hello").setModel("good"));

    var request = seen.requests.get(0);
    assertEquals(ingot.at("https") + "/models/chat/completions?api-version=2024-05-01-preview", request.getUrl().toString());
    var headers = request.getHeaders();
    assertEquals(Ingot.KEY, headers.getValue(HttpHeaderName.fromString("api-key")));
    assertEquals(Ingot.KEY, headers.getValue(HttpHeaderName.AUTHORIZATION));
    assertEquals("application/json", headers.getValue(HttpHeaderName.CONTENT_TYPE));
    assertEquals("application/json", headers.getValue(HttpHeaderName.ACCEPT));
    assertTrue(headers.getValue(HttpHeaderName.USER_AGENT).startsWith("azsdk-java-azure-ai-inference/"));
    assertEquals("{\"messages\":[{\"content\":\"Hello\",\"role\":\"user\"}],\"model\":\"good\"}", request.getBodyAsBinaryData().toString());
    var answer = seen.responses.get(0);
    assertEquals(headers.getValue(HttpHeaderName.X_MS_CLIENT_REQUEST_ID), answer.getHeaderValue(HttpHeaderName.X_MS_CLIENT_REQUEST_ID));
    assertTrue(answer.getHeaderValue(HttpHeaderName.fromString("x-request-id")).matches("[0-9a-f-]{36}"));
    assertEquals("good", answer.getHeaderValue(HttpHeaderName.fromString("x-ingot-deployment")));
  }

  @Test
  void requestsTakeHeadersAndAQueryOfTheCaller() {
    var options = new HttpClientOptions().setApplicationId("Mine").setHeaders(List.of(new Header("azureml-model-deployment", "good")));
    var seen = new Attempts();
    var client = ingot.chat("/models").clientOptions(options).addPolicy(seen).buildClient();
    var body = BinaryData.fromString("{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}");
    var answer = client.completeWithResponse(body, new RequestOptions().addQueryParam("mine", "ä&b")
        .setHeader(HttpHeaderName.X_MS_CLIENT_REQUEST_ID, "my-own-id_7"));

    assertEquals(200, answer.getStatusCode());
    assertEquals("my-own-id_7", answer.getHeaders().getValue(HttpHeaderName.X_MS_CLIENT_REQUEST_ID));
    assertEquals("good", answer.getHeaders().getValue(HttpHeaderName.fromString("x-ingot-deployment")));
    assertTrue(seen.requests.get(0).getHeaders().getValue(HttpHeaderName.USER_AGENT).startsWith("Mine azsdk-java-azure-ai-inference/"));
  }

  /** The SDK knows two versions; another is a parameter of the call. */
  @Test
  void versionsAreTakenAndSayWhereThoughtsGo() {
    var newest = ingot.chat("/deployments/thinks").serviceVersion(ModelServiceVersion.V2024_08_01_PREVIEW).buildClient();
    assertTrue(said(newest, saying("Hello")).startsWith("<think>"));

    var body = BinaryData.fromString("{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}");
    var seen = new Attempts();
    HttpPipelinePolicy version = (context, next) -> {
      var url = context.getHttpRequest().getUrl().toString();
      context.getHttpRequest().setUrl(url.replaceAll("api-version=[^&]*", "api-version=2025-04-01"));
      return next.process();
    };
    var young = ingot.chat("/deployments/thinks").addPolicy(version).addPolicy(seen).buildClient();
    var text = young.completeWithResponse(body, new RequestOptions()).getValue().toString();
    assertTrue(text.contains("\"reasoning_content\":\"The answer is what was said.\""), text);
    assertEquals("Hello", said(young, saying("Hello")));
  }

  /** Only a body that the caller wrote has members of its own: those of the options are not sent. */
  @Test
  void extraParametersAreObeyedDroppedOrRefused() {
    var client = at("good");
    var body = BinaryData.fromString("{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}], \"n\": 2}");
    var header = HttpHeaderName.fromString("extra-parameters");

    var refused = assertThrows(HttpResponseException.class, () -> client.completeWithResponse(body, new RequestOptions()));
    assertEquals(400, refused.getResponse().getStatusCode());
    assertTrue(refused.getMessage().contains("Extra parameters ['n'] are not allowed"), refused.getMessage());
    var passed = client.completeWithResponse(body, new RequestOptions().setHeader(header, ExtraParameters.PASS_THROUGH.toString()));
    assertEquals(2, passed.getValue().toString().split("\"message\"", -1).length - 1);
    var dropped = client.completeWithResponse(body, new RequestOptions().setHeader(header, ExtraParameters.DROP.toString()));
    assertEquals("n", dropped.getHeaders().getValue(HttpHeaderName.fromString("x-ingot-dropped")));

    var options = saying("Hello").setAdditionalProperties(Map.of("n", BinaryData.fromObject(2)));
    assertEquals(1, client.complete(options).getChoices().size());
    assertEquals("Hello", Chat.joined(ingot.chat("/deployments/good").buildAsyncClient().completeStream(options).collectList().block()));
    assertEquals("Hello", said(client, saying("Hello").setExtraParams(ExtraParameters.PASS_THROUGH)));
  }

  @ParameterizedTest
  @CsvSource({
      "'', wrong, 401, 401, Auth token validation failed",
      "/deployments/nobody, right, 404, DeploymentNotFound, nobody",
      "/models/chat/completions, right, 404, 404, Resource not found",
      "/deployments/embeds, right, 404, NotFound, NOT FOUND",
      "/deployments/broken-403, right, 403, PermissionDenied, ''",
      "/deployments/broken-422, right, 422, Invalid input, ''",
  })
  void errorsAreOfTheirClass(String base, String key, int status, String code, String says) {
    var client = ingot.chat(base).credential(new KeyCredential(key.equals("right") ? Ingot.KEY : key)).buildClient();
    var error = assertThrows(HttpResponseException.class, () -> client.complete(saying("Hello")));

    assertEquals(switch (status) {
      case 401 -> ClientAuthenticationException.class;
      case 404 -> ResourceNotFoundException.class;
      default -> HttpResponseException.class;
    }, error.getClass());
    assertEquals(status, error.getResponse().getStatusCode());
    assertEquals(code, error.getResponse().getHeaderValue(HttpHeaderName.fromString("x-ms-error-code")));
    assertTrue(error.getMessage().startsWith("Status code " + status), error.getMessage());
    assertTrue(error.getMessage().contains(says), error.getMessage());
    var body = assertInstanceOf(Map.class, error.getValue());
    assertEquals(code, assertInstanceOf(Map.class, body.get("error")).get("code"));
  }

  @Test
  void valuesOutOfRangeAreNamed() {
    var error = assertThrows(HttpResponseException.class, () -> at("good").complete(saying("Hello").setTemperature(2.5)));

    assertEquals(422, error.getResponse().getStatusCode());
    assertTrue(error.getMessage().contains("Input should be less than or equal to 2"), error.getMessage());
  }

  /** The table of doc/protocol.md §7.9: requests that the server saw with three retries, which are the default. */
  @ParameterizedTest
  @CsvSource({"always, 429, 4", "refuses, 429, 4", "broken-500, 500, 4", "broken-502, 502, 4", "broken-503, 503, 4", "broken-504, 504, 4",
      "broken-408, 408, 4", "broken-403, 403, 1", "broken-422, 422, 1"})
  void failuresAreRetried(String deployment, int status, int attempts) {
    var seen = new Attempts();
    var client = ingot.chat("/deployments/" + deployment).addPolicy(seen)
        .retryOptions(new RetryOptions(new FixedDelayOptions(3, Duration.ofMillis(1)))).buildClient();
    var error = assertThrows(HttpResponseException.class, () -> client.complete(saying("Hello")));

    assertEquals(status, error.getResponse().getStatusCode());
    assertEquals(attempts, seen.requests.size());
    assertEquals(1, seen.requests.stream().map(r -> r.getHeaders().getValue(HttpHeaderName.X_MS_CLIENT_REQUEST_ID)).distinct().count());
  }

  @Test
  void aRetryWaitsAsLongAsItIsTold() {
    var seen = new Attempts();
    var client = ingot.chat("/deployments/waits").addPolicy(seen)
        .retryOptions(new RetryOptions(new FixedDelayOptions(3, Duration.ofMillis(1)))).buildClient();
    long begun = System.nanoTime();
    for (int i = 0; i < 2; i++) {
      assertEquals("Hello", said(client, saying("Hello")));
    }

    assertEquals(3, seen.requests.size());
    assertTrue(System.nanoTime() - begun >= Duration.ofMillis(300).toNanos());
  }

  @Test
  void patienceEndsACall() throws Exception {
    var client = ingot.chat("").clientOptions(new HttpClientOptions().setResponseTimeout(Duration.ofMillis(200)))
        .retryOptions(new RetryOptions(new FixedDelayOptions(0, Duration.ofMillis(1)))).buildClient();
    var late = assertThrows(RuntimeException.class, () -> client.complete(saying("Hello").setModel("slow")));
    assertInstanceOf(TimeoutException.class, late.getCause());
    ingot.awaitIdle();

    var async = ingot.chat("").buildAsyncClient().complete(saying("Hello").setModel("stalls")).timeout(Duration.ofMillis(200));
    assertInstanceOf(TimeoutException.class, Exceptions.unwrap(assertThrows(RuntimeException.class, async::block)));
    ingot.awaitIdle();
  }

  @Test
  void aKeyOverPlainHttpIsRefusedByTheSdkAndTakenAsAHeader() {
    var keyed = new ChatCompletionsClientBuilder().endpoint(ingot.at("http")).credential(new KeyCredential(Ingot.KEY))
        .retryOptions(new RetryOptions(new FixedDelayOptions(0, Duration.ofMillis(1)))).buildClient();
    var refused = assertThrows(RuntimeException.class, () -> keyed.complete("Hello"));
    assertTrue(refused.getMessage().contains("HTTPS"), refused.getMessage());

    var options = new HttpClientOptions().setHeaders(List.of(new Header("api-key", Ingot.KEY)));
    var header = new ChatCompletionsClientBuilder().endpoint(ingot.at("http")).clientOptions(options);
    assertEquals("Hello", said(header.buildClient(), saying("Hello").setModel("good")));
    assertEquals("Hello", Chat.joined(header.buildClient().completeStream(saying("Hello").setModel("good")).stream().toList()));
  }

  @Test
  void manyAtOnceAreNobodyElses() {
    var client = ingot.chat("/deployments/good").buildAsyncClient();
    var answers = Flux.range(0, 200)
        .flatMapSequential(n -> client.complete("request " + n).map(a -> a.getChoice().getMessage().getContent()), 50)
        .collectList().block(Duration.ofSeconds(60));

    for (int n = 0; n < 200; n++) {
      assertEquals("request " + n, answers.get(n));
    }
  }
}
