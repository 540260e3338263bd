import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TaskEvent;
import com.sun.source.util.TaskListener;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import javax.tools.ForwardingJavaFileObject;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Compiles the source files given, the program's main file first, into /build, and leaves in /build/run.args how the
 * java command starts it. Beyond javac: a public class may have another name than its file, the main class is found, and
 * the libraries are on the class path of programs that may mean one.
 */
public final class CompileProgram {
    private static final Path BUILD = Path.of("/build");
    private static final Path LIBRARIES = Path.of("/usr/local/lib/runcode/libraries.path");
    private static final List<String> OPTIONS =
            List.of("-d", BUILD.toString(), "-proc:none", "-encoding", "UTF-8", "-Xlint:-options");

    /** A source file whose classes may be named as they like. */
    private static final class Source extends ForwardingJavaFileObject<JavaFileObject> {
        Source(JavaFileObject file) {
            super(file);
        }

        @Override
        public boolean isNameCompatible(String name, Kind kind) {
            return kind == Kind.SOURCE;
        }
    }

    /** Looks for the main class while the files are parsed, in the order in which they were given. */
    private static final class MainFinder implements TaskListener {
        String found;
        private String first;

        @Override
        public void finished(TaskEvent event) {
            if (event.getKind() == TaskEvent.Kind.PARSE && found == null) {
                look(event.getCompilationUnit());
            }
        }

        /** Where no class declares a main method, the first may inherit one; if not, the java command says so. */
        String main() {
            return found == null ? first : found;
        }

        private void look(CompilationUnitTree unit) {
            String start = unit.getPackageName() == null ? "" : unit.getPackageName() + ".";
            for (Tree tree : unit.getTypeDecls()) {
                if (tree instanceof ClassTree type) {
                    String name = start + type.getSimpleName();
                    if (first == null) {
                        first = name;
                    }
                    if (found == null && type.getMembers().stream().anyMatch(MainFinder::isMain)) {
                        found = name;
                    }
                }
            }
        }

        private static boolean isMain(Tree member) {
            return member instanceof MethodTree method && method.getName().contentEquals("main");
        }
    }

    /**
     * The libraries as the rest of a class path, empty where no file mentions a package of theirs: looking into their
     * archives takes the compiler longer than a small program does.
     */
    private static String libraries(String[] names) throws IOException {
        for (String name : names) {
            String text = new String(Files.readAllBytes(Path.of(name)), StandardCharsets.ISO_8859_1);
            if (text.contains("com.") || text.contains("org.")) {
                return Files.readString(LIBRARIES);
            }
        }
        return "";
    }

    public static void main(String[] names) throws IOException {
        var compiler = ToolProvider.getSystemJavaCompiler();
        var messages = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, Locale.ROOT, StandardCharsets.UTF_8)) {
            List<Source> sources = new ArrayList<>();
            for (JavaFileObject file : files.getJavaFileObjectsFromPaths(Arrays.stream(names).map(Path::of).toList())) {
                sources.add(new Source(file));
            }
            String libraries = libraries(names);
            List<String> options = new ArrayList<>(OPTIONS);
            options.addAll(List.of("-cp", "." + libraries));
            var task = (JavacTask) compiler.getTask(messages, files, null, options, null, sources);
            var finder = new MainFinder();
            task.addTaskListener(finder);
            boolean compiled = task.call();
            messages.flush();
            if (compiled && finder.main() == null) {
                messages.println("error: " + names[0] + " declares no class");
            }
            if (!compiled || finder.main() == null) {
                System.exit(1);
            }
            String path = libraries.isEmpty() ? "" : "-cp\n/build:/work" + libraries + "\n";
            Files.writeString(BUILD.resolve("run.args"), path + finder.main() + "\n");
        }
    }
}
