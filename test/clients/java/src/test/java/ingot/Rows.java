package ingot;

import com.azure.core.util.BinaryData;
import com.azure.core.util.CoreUtils;
import com.openai.core.Properties;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a client was seen to do, or not to do, at an address: a row each in a file of the folder INGOT_TEST_DOORS (test/clients/table.py). */
final class Rows {
  static final String AZURE = "azure-ai-inference " + CoreUtils.getProperties("azure-ai-inference.properties").get("version") + " (Java)";
  static final String OPENAI = "openai-java " + Properties.getPackageVersion() + " (Java)";

  private final List<List<String>> rows = new ArrayList<>();
  private final String client;

  Rows(String client) {
    this.client = client;
  }

  /** Notes that the operation succeeded. */
  void works(String address, String operation) {
    rows.add(List.of(client, address, operation));
  }

  /** Notes that the operation failed as it must, and why. */
  void fails(String address, String operation, String why) {
    rows.add(List.of(client, address, operation, why));
  }

  /** Leaves the rows in the file, where somebody collects them. */
  void write(String name) throws IOException {
    var folder = System.getenv("INGOT_TEST_DOORS");
    if (folder != null && !folder.isEmpty()) {
      Files.writeString(Path.of(folder, name + ".json"), BinaryData.fromObject(rows).toString());
    }
  }
}
