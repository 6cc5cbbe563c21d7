package ingot;

import static ingot.Chat.saying;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.core.credential.AccessToken;
import com.azure.core.credential.TokenCredential;
import com.azure.core.exception.ClientAuthenticationException;
import com.azure.core.exception.HttpResponseException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** Token credentials, with a local authority in place of Microsoft Entra ID. */
class EntraTest {
  private static Authority authority;
  private static Ingot ingot;

  @BeforeAll
  static void start() throws Exception {
    authority = new Authority();
    ingot = Ingot.configured(authority.config());
  }

  @AfterAll
  static void stop() throws Exception {
    ingot.stop();
    authority.stop();
  }

  private static ChatCompletionsClientBuilder client(String base, TokenCredential credential) {
    return new ChatCompletionsClientBuilder().endpoint(ingot.at("https") + base).credential(credential);
  }

  /** A credential that asks the authority for a token of the scope, and keeps which that was. */
  private static TokenCredential asking(List<String> scopes, String object, int lifetime) {
    return request -> {
      scopes.addAll(request.getScopes());
      var token = authority.token(request.getScopes().get(0), object, lifetime);
      return Mono.just(new AccessToken(token, OffsetDateTime.now().plusHours(1)));
    };
  }

  @Test
  void theTokenThatClientsAskForByThemselvesAdmits() {
    var scopes = new ArrayList<String>();
    var builder = client("", asking(scopes, Authority.USER, 3600));

    assertEquals("Hello", builder.buildClient().complete("Hello").getChoice().getMessage().getContent());
    assertEquals("Hello", Chat.joined(builder.buildAsyncClient().completeStream(saying("Hello")).collectList().block()));
    assertEquals("https://ml.azure.com/.default", scopes.get(0));
  }

  @Test
  void soDoesOneOfTheScopesOfTheCaller() {
    for (var scope : List.of("api://ingot/.default", "https://cognitiveservices.azure.com/.default")) {
      var client = client("/models", asking(new ArrayList<>(), Authority.USER, 3600)).scopes(new String[] {scope}).buildClient();
      assertEquals("Hello", client.complete(saying("Hello").setModel("chat")).getChoice().getMessage().getContent());
    }
  }

  @Test
  void aTokenThatHasExpiredIsRefused() {
    var client = client("", asking(new ArrayList<>(), Authority.USER, -900)).buildClient();
    var refused = assertThrows(ClientAuthenticationException.class, () -> client.complete("Hello"));

    assertEquals(401, refused.getResponse().getStatusCode());
  }

  @Test
  void aTokenOfSomebodyWhoMayNotCallIsRefused() {
    var stranger = asking(new ArrayList<>(), Authority.STRANGER, 3600);
    var refused = assertThrows(HttpResponseException.class, () -> client("", stranger).buildClient().complete("Hello"));
    assertEquals(403, refused.getResponse().getStatusCode());
    assertTrue(refused.getMessage().contains("PermissionDenied"), refused.getMessage());

    var asTheService = client("/models", stranger).buildClient();
    assertThrows(ClientAuthenticationException.class, () -> asTheService.complete(saying("Hello").setModel("chat")));
  }
}
