<?php
// Boots the application in the current directory as artisan does and writes
// parts of its configuration as JSON.
require '/usr/share/php/Illuminate/autoload.php';
require getcwd().'/app/Console.php';

$app = new Illuminate\Foundation\Application(getcwd());
$app->singleton(Illuminate\Contracts\Console\Kernel::class, App\Console::class);
$app->singleton(Illuminate\Contracts\Debug\ExceptionHandler::class, Illuminate\Foundation\Exceptions\Handler::class);
$app->make(Illuminate\Contracts\Console\Kernel::class)->bootstrap();

$parts = [];
foreach (array_slice($argv, 1) as $key) {
    $parts[$key] = $app->make('config')->get($key);
}
echo json_encode($parts);
