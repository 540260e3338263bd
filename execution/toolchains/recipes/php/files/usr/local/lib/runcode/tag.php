<?php
// A program that nowhere opens a PHP tag is meant as PHP all the same. It gets one, on its first line, so that messages
// keep their line numbers. PHP has opened the program already, hence the new start.
(static function (): void {
    $program = $_SERVER['SCRIPT_FILENAME'];
    $pipe = null;
    if (filetype($program) === 'fifo') {
        // Started ahead: the program comes through the pipe, once it lies in its place as a file too.
        $pipe = fopen($program, 'rn');
        $readable = [$pipe];
        $none = null;
        stream_select($readable, $none, $none, null);
        $_SERVER['REQUEST_TIME_FLOAT'] = microtime(true);
        $_SERVER['REQUEST_TIME'] = (int) $_SERVER['REQUEST_TIME_FLOAT'];
    }
    $code = file_get_contents($program);
    if (!str_contains($code, '<?') && file_put_contents($program, '<?php ' . $code) !== false) {
        if ($pipe !== null) {
            // Whoever writes must not wait for a reader that has gone.
            stream_set_blocking($pipe, true);
            stream_get_contents($pipe);
        }
        pcntl_exec(PHP_BINARY, $_SERVER['argv']);
    }
})();
