<?php
// A program that nowhere opens a PHP tag is meant as PHP all the same. It gets one, on its first line, so that messages
// keep their line numbers. PHP has opened the program already, hence the new start.
(static function (): void {
    $program = $_SERVER['SCRIPT_FILENAME'];
    $code = is_file($program) ? file_get_contents($program) : false;
    if ($code !== false && !str_contains($code, '<?') && file_put_contents($program, '<?php ' . $code) !== false) {
        pcntl_exec(PHP_BINARY, $_SERVER['argv']);
    }
})();
