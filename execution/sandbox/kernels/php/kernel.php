<?php

// The kernel of a PHP console, behind the channel on descriptor 3 (execution/sandbox/channel.py).
//
// A fatal error ends a PHP process, and PHP has no threads. So three kinds of process share the work: the first one reads
// the channel. An evaluator keeps the state; for each cell it makes a copy of itself, which runs the cell. If the copy
// comes through, it is the new evaluator and ends the old one; if it dies, the old one goes on with the state from
// before the cell. An interrupt is a signal to all evaluators, which throws in the one that runs a cell.

namespace Runcode;

const SOURCE = "php shell code";

final class Interrupted extends \Error
{
}

final class Kernel
{
    public static $channel;
    public static $requests;
    public static $reader;
    public static ?array $cell = null;
    public static bool $expression = false;
    public static bool $busy = false;
    private static int $stdin;
    private static int $nothing;
    private static \FFI $libc;

    /** In the first process. */
    public static function main(): void
    {
        self::$channel = fopen("php://fd/3", "r+");
        stream_set_read_buffer(self::$channel, 0);
        [$ours, self::$requests] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
        if (pcntl_fork() === 0) {
            fclose($ours);
            posix_setpgid(0, 0);
            self::evaluator();
            return;
        }
        fclose(self::$requests);
        self::relay($ours);
    }

    private static function relay($evaluators): never
    {
        $group = 0;
        while (true) {
            $ready = [self::$channel, $evaluators];
            $none = null;
            if (@stream_select($ready, $none, $none, null) === false) {
                continue;
            }
            if (in_array($evaluators, $ready, true)) {
                $line = fgets($evaluators);
                if ($line === false) {
                    // Every evaluator is dead.
                    posix_kill(posix_getpid(), SIGKILL);
                }
                // The first word is their group; all others say that an interrupt was heard.
                $group = $group ?: (int) $line;
            }
            if (in_array(self::$channel, $ready, true)) {
                $body = self::exactly(self::$channel, unpack("N", self::exactly(self::$channel, 4))[1]);
                if (json_decode($body, true)["do"] === "execute") {
                    self::write($evaluators, pack("N", strlen($body)) . $body);
                } elseif ($group !== 0) {
                    // Again and again until it is heard: what waits for input tries once more after the first.
                    $tries = 40;
                    do {
                        posix_kill(-$group, SIGINT);
                        $ready = [self::$channel, $evaluators];
                    } while (@stream_select($ready, $none, $none, 0, 30_000) === 0 && --$tries);
                }
            }
        }
    }

    private static function evaluator(): void
    {
        self::$libc = \FFI::cdef("int dup(int); int dup2(int, int); int open(const char *, int);");
        self::$stdin = self::$libc->dup(0);
        self::$nothing = self::$libc->open("/dev/null", 0);
        pcntl_async_signals(true);
        pcntl_signal(SIGINT, function (): void {
            if (self::$busy) {
                self::$busy = false;
                self::write(self::$requests, "heard\n");
                throw new Interrupted("Interrupted");
            }
        }, false);
        set_error_handler(self::warn(...));
        register_shutdown_function(self::died(...));
        self::write(self::$requests, posix_getpid() . "\n");
        self::send(["event" => "ready"]);
    }

    /** The next cell, in a process that may die of it. */
    public static function next(): string
    {
        while (true) {
            $body = self::exactly(self::$requests, unpack("N", self::exactly(self::$requests, 4))[1]);
            $child = pcntl_fork();
            if ($child === 0) {
                break;
            }
            while (pcntl_waitpid($child, $status) === -1);
            if (!pcntl_wifexited($status)) {
                $error = "killed by signal " . pcntl_wtermsig($status);
                self::send(["event" => "done", "error" => ["name" => "Killed", "value" => $error, "traceback" => $error]]);
            }
        }
        self::$cell = json_decode($body, true);
        foreach (self::$cell["env"] as $name => $value) {
            putenv("$name=$value");
            $_ENV[$name] = $value;
        }
        self::$libc->dup2(self::$cell["streamed"] ? self::$stdin : self::$nothing, 0);
        [$code, self::$expression] = prepared(self::$cell["code"]);
        self::$busy = true;
        return $code;
    }

    public static function came(mixed $value): void
    {
        $text = self::$expression ? shown($value) : null;
        self::$busy = false;
        if ($text !== null) {
            self::send(["event" => "item", "data" => ["text/plain" => $text], "primary" => true]);
        }
        self::done(null);
    }

    public static function failed(\Throwable $error): void
    {
        self::$busy = false;
        $name = $error instanceof Interrupted ? "Interrupted" : $error::class;
        self::done(["name" => $name, "value" => $error->getMessage(), "traceback" => told($error)]);
    }

    /** The cell has come through: this process has the state now. */
    private static function done(?array $error): void
    {
        while (ob_get_level() > 0) {
            ob_end_flush();
        }
        $old = posix_getppid();
        self::$cell = null;
        // Not in the ordinary way: what the old one would clean up is ours now.
        posix_kill($old, SIGKILL);
        self::send(["event" => "done", "error" => $error]);
    }

    /** As the process ends: by exit() in a cell, or of a fatal error. */
    public static function died(): void
    {
        if (self::$cell === null) {
            return;
        }
        $last = error_get_last();
        $fatal = $last !== null && ($last["type"] & (E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR));
        $error = null;
        if ($fatal) {
            $value = sourced($last["message"]);
            $text = "PHP Fatal error:  $value in " . SOURCE . ":" . $last["line"];
            $error = ["name" => "FatalError", "value" => $value, "traceback" => $text];
        }
        self::send(["event" => "done", "error" => $error]);
    }

    private static function warn(int $level, string $message, string $file, int $line): bool
    {
        if (!(error_reporting() & $level)) {
            return true;
        }
        $kind = match ($level) {
            E_NOTICE, E_USER_NOTICE => "Notice",
            E_DEPRECATED, E_USER_DEPRECATED => "Deprecated",
            E_USER_ERROR, E_RECOVERABLE_ERROR => "Error",
            default => "Warning",
        };
        echo "\n$kind: $message in ", str_contains($file, "eval()'d code") ? SOURCE : $file, " on line $line\n";
        return true;
    }

    private static function send(array $message): void
    {
        $flags = JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE;
        $body = json_encode($message, $flags);
        self::write(self::$channel, pack("N", strlen($body)) . $body);
    }

    private static function write($stream, string $data): void
    {
        while ($data !== "") {
            $data = substr($data, (int) fwrite($stream, $data));
        }
        fflush($stream);
    }

    private static function exactly($stream, int $size): string
    {
        $data = "";
        while (strlen($data) < $size) {
            $part = @fread($stream, $size - strlen($data));
            if (($part === "" || $part === false) && feof($stream)) {
                posix_kill(posix_getpid(), SIGKILL);
            }
            $data .= (string) $part;
        }
        return $data;
    }
}

/** The code with its last expression returned, and whether it has one. */
function prepared(string $code): array
{
    $code = preg_replace('/^\s*<\?(php\b|=)?/', "", $code);
    foreach ([$code, "$code\n;"] as $whole) {
        try {
            $tokens = \PhpToken::tokenize("<?php $whole", TOKEN_PARSE);
        } catch (\ParseError) {
            continue;
        }
        foreach (array_reverse(statements($tokens), true) as $start => $certain) {
            $returned = substr($whole, 0, $start) . " return " . substr($whole, $start);
            if (fits($returned)) {
                return [$returned, true];
            }
            if ($certain) {
                // The last statement is no expression.
                break;
            }
        }
        return [$whole, false];
    }
    return [$code, false];
}

function fits(string $code): bool
{
    try {
        \PhpToken::tokenize("<?php $code", TOKEN_PARSE);
        return true;
    } catch (\ParseError) {
        return false;
    }
}

/**
 * Where the statements of the outermost level may begin, as offsets into the code, and whether one certainly does there:
 * what follows a brace may also go on with the statement. Nothing but an end begins none.
 */
function statements(array $tokens): array
{
    $starts = [];
    $depth = 0;
    $begin = $certain = true;
    foreach (array_slice($tokens, 1) as $token) {
        if ($token->isIgnorable()) {
            continue;
        }
        if ($begin && $depth === 0 && $token->text !== ";" && !$token->is([T_CLOSE_TAG, T_INLINE_HTML])) {
            $starts[$token->pos - strlen("<?php ")] = $certain;
        }
        $depth += match ($token->text) {
            "{", "(", "[", '${', "#[" => 1,
            "}", ")", "]" => -1,
            default => 0,
        };
        $certain = $token->text === ";";
        $begin = $depth === 0 && ($certain || $token->text === "}");
    }
    return $starts;
}

/** A value as somebody would write it. */
function shown(mixed $value, string $indent = ""): string
{
    if (is_array($value)) {
        return listed($value, array_is_list($value), $indent, "[", "]", " => ");
    }
    if (is_object($value) && !$value instanceof \UnitEnum) {
        $id = spl_object_id($value);
        $class = strtok($value::class, "\0");
        if (strlen($indent) > 12) {
            return "$class {#$id …}";
        }
        $fields = [];
        foreach ($value instanceof \Closure ? [] : (array) $value as $name => $field) {
            $fields[preg_replace('/^\0.*\0/', "", (string) $name)] = $field;
        }
        return "$class " . listed($fields, false, $indent, "{#$id", "}", ": ");
    }
    return match (true) {
        is_null($value) => "null",
        is_string($value) => '"' . addcslashes($value, "\0..\37\"\\\$") . '"',
        is_resource($value) => get_resource_type($value) . " resource #" . get_resource_id($value),
        $value instanceof \UnitEnum => $value::class . "::" . $value->name,
        default => var_export($value, true),
    };
}

function listed(array $values, bool $plain, string $indent, string $open, string $close, string $arrow): string
{
    $parts = [];
    $named = $open !== "[";
    foreach ($values as $name => $value) {
        $key = $plain ? "" : ($named ? $name : (is_int($name) ? $name : shown($name))) . $arrow;
        $parts[] = $key . shown($value, "$indent  ");
    }
    $space = $named ? " " : "";
    $line = $open . $space . implode(", ", $parts) . $space . $close;
    if ($parts === [] || (strlen($line) < 70 && !str_contains($line, "\n"))) {
        return $parts === [] ? "$open$close" : $line;
    }
    return "$open\n$indent  " . implode(",\n$indent  ", $parts) . "\n$indent$close";
}

/** An exception in the words of the console, without the frames of this folder. */
function told(\Throwable $error): string
{
    $text = $error instanceof Interrupted ? "Interrupted" : "PHP Fatal error:  Uncaught " . sourced((string) $error);
    $number = 0;
    $kept = [];
    foreach (explode("\n", $text) as $line) {
        if (!preg_match('~^#\d+ ' . preg_quote(__DIR__) . '/~', $line)) {
            $kept[] = preg_replace_callback('~^#\d+ ~', function () use (&$number) { return "#" . $number++ . " "; }, $line);
        }
    }
    return implode("\n", $kept);
}

function sourced(string $text): string
{
    return preg_replace('~' . preg_quote(__DIR__) . "/main\.php\(\d+\) : eval\(\)'d code~", SOURCE, $text);
}
