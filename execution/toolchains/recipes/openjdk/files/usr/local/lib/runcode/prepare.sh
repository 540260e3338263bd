# Builds the compiler's front, and its archive of classes that are read and linked ahead: loading javac is most of the
# time that a small program takes to compile.
lib=/usr/local/lib/runcode
javac -d /tmp/classes $lib/CompileProgram.java
jar --create --file $lib/compile.jar -C /tmp/classes .

mkdir -p /build
cat > /tmp/Main.java <<'PROGRAM'
import java.util.*;
import java.util.stream.*;

public class Main {
    record Point(int x, int y) {}

    public static void main(String[] args) {
        Scanner input = new Scanner(System.in);
        List<Integer> numbers = new ArrayList<>();
        while (input.hasNextInt()) numbers.add(input.nextInt());
        Map<String, Integer> counts = new TreeMap<>();
        for (int number : numbers) counts.merge("n" + number % 3, 1, Integer::sum);
        System.out.println(numbers.stream().map(String::valueOf).collect(Collectors.joining(" ")));
        System.out.printf("%d %.3f %s %s%n", numbers.size(), 1.5, counts, new Point(1, 2));
        String word = switch (numbers.size()) { case 0 -> "none"; default -> "some"; };
        System.out.println(new StringBuilder(word).reverse());
    }
}
PROGRAM
cd /tmp
java @$lib/compile.args -XX:ArchiveClassesAtExit=$lib/compile.jsa -cp $lib/compile.jar CompileProgram Main.java
rm -rf /build/*

# The libraries, as a class path and as a list of names and versions.
: >$lib/libraries
path=
for name in commons-collections4 commons-lang3 commons-math3 failureaccess gson guava hamcrest jackson-annotations jackson-core \
    jackson-databind junit4; do
    jar=/usr/share/java/$name.jar
    [ -e "$jar" ] || continue
    path=$path:$jar
    echo "$name $(basename "$(readlink -f $jar)" .jar | sed 's/^.*-\([0-9]\)/\1/')" >>$lib/libraries
done
printf '%s' "$path" >$lib/libraries.path
