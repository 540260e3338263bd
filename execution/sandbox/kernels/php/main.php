<?php

// The part of the kernel that is its user's too: what a cell defines becomes global here.

require "/build/kernel.php";

chdir("/work");
ini_set("display_errors", "0");
ini_set("log_errors", "0");
error_reporting(E_ALL);
Runcode\Kernel::main();

while (true) {
    try {
        Runcode\Kernel::came(eval(Runcode\Kernel::next()));
    } catch (Throwable $_) {
        Runcode\Kernel::failed($_);
        unset($_);
    }
}
