# javac with all its warnings; the JVM and the libraries are set as for compiling a program.
lib=/usr/local/lib/runcode
exec java @$lib/compile.args com.sun.tools.javac.Main -d /tmp -proc:none -encoding UTF-8 -Xlint:all,-options,-path \
    -cp ".$(cat $lib/libraries.path)" "$1"
