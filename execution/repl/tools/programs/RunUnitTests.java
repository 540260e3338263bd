import com.google.gson.Gson;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.runner.JUnitCore;
import org.junit.runner.notification.Failure;

/**
 * Runs a JUnit 4 class, in the sandbox. The input names the report's file, the class, and the files of the user, whose
 * frames alone are told.
 */
public final class RunUnitTests {
    private static final int MOST = 200;
    private static final int MOST_CHARACTERS = 10_000;

    private static String cut(String text) {
        return text.length() > MOST_CHARACTERS ? text.substring(0, MOST_CHARACTERS) : text;
    }

    private static String stack(Throwable error, Set<String> files) {
        var text = new StringBuilder();
        for (StackTraceElement frame : error.getStackTrace()) {
            if (frame.getFileName() != null && files.contains(frame.getFileName())) {
                text.append(text.isEmpty() ? "" : "\n").append("at ").append(frame);
            }
        }
        return cut(text.toString());
    }

    private static Map<String, String> told(Failure failure, Set<String> files) {
        Throwable error = failure.getException();
        String message = error instanceof AssertionError && error.getMessage() != null ? error.getMessage() : error.toString();
        String name = failure.getDescription().getMethodName();
        return Map.of("name", name == null ? failure.getTestHeader() : name, "message", cut(message), "stack", stack(error, files));
    }

    public static void main(String[] arguments) throws Exception {
        String[] words = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split("\n");
        Set<String> files = new HashSet<>(Arrays.asList(words).subList(2, words.length));
        Map<String, Object> report;
        try {
            var result = new JUnitCore().run(Class.forName(words[1]));
            List<Map<String, String>> failures = new ArrayList<>();
            for (Failure failure : result.getFailures().subList(0, Math.min(MOST, result.getFailureCount()))) {
                failures.add(told(failure, files));
            }
            report = Map.of("ran", result.getRunCount(), "failures", failures, "error", "");
        } catch (Throwable error) {
            report = Map.of("ran", 0, "failures", List.of(), "error", cut(error.toString()));
        }
        Files.writeString(Path.of("/work", words[0]), new Gson().toJson(report));
        // Nothing of the program's may come after it.
        Runtime.getRuntime().halt(0);
    }
}
