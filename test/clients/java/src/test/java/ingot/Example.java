package ingot;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Runs a program of examples/java as its README says, with nothing set but address and key. */
final class Example {
  private static final Path FOLDER = Path.of(System.getenv("INGOT_TEST_ROOT"), "examples", "java");

  private Example() {}

  /** What it prints; it must succeed. */
  static String run(Ingot ingot, String name, String... arguments) throws IOException, InterruptedException {
    return run(Map.of("INGOT_ENDPOINT", ingot.at("https"), "INGOT_KEY", Ingot.KEY), trust(), name, arguments);
  }

  /** The same with an environment and options for java. */
  static String run(Map<String, String> environment, List<String> options, String name, String... arguments)
      throws IOException, InterruptedException {
    var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(options);
    command.addAll(List.of("-cp", System.getenv("INGOT_TEST_EXAMPLES"), name));
    command.addAll(List.of(arguments));
    var errors = File.createTempFile("ingot-example-", ".log");
    var builder = new ProcessBuilder(command).directory(FOLDER.toFile()).redirectError(errors);
    builder.environment().keySet().removeIf(variable -> variable.startsWith("INGOT_"));
    builder.environment().putAll(environment);
    var process = builder.start();
    process.getOutputStream().close();
    var printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    var rc = process.waitFor();
    var complaints = Files.readString(errors.toPath());
    Files.delete(errors.toPath());
    if (rc != 0) {
      throw new IOException(name + " ended with " + rc + ": " + printed + complaints);
    }
    return printed;
  }

  /** The options that trust the tests' authority. */
  static List<String> trust() {
    return List.of(System.getenv("INGOT_TEST_TRUST").split(" "));
  }
}
