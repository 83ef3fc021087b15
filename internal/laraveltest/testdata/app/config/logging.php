<?php

$file = ['driver' => 'single', 'path' => storage_path('logs/laravel.log'), 'level' => 'debug'];

return ['default' => 'single', 'channels' => ['single' => $file, 'emergency' => $file]];
