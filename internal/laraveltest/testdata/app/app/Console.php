<?php

namespace App;

use Illuminate\Contracts\Bus\Dispatcher;
use Illuminate\Foundation\Console\Kernel;
use Illuminate\Support\Str;

/** Commands by which a test fills queues and asks the framework about them. */
class Console extends Kernel
{
    protected function commands(): void
    {
        $this->command('push {count} {--queue=default} {--connection=} {--ms=0} {--delay=0} {--fail=} {--pad=0}', function () {
            for ($i = 0; $i < (int) $this->argument('count'); $i++) {
                $job = new Jobs\Work($i, (int) $this->option('ms'), $this->option('fail'), str_repeat('x', (int) $this->option('pad')));
                $job->onQueue($this->option('queue'));
                if ($connection = $this->option('connection')) {
                    $job->onConnection($connection);
                }
                if ($delay = (int) $this->option('delay')) {
                    $job->delay($delay);
                }
                app(Dispatcher::class)->dispatch($job);
            }
        });

        // What the framework itself makes of queues: its own sum, and the parts
        // by its own connection and key names.
        $this->command('sizes {queue*} {--connection=}', function () {
            $sizes = [];
            foreach ($this->argument('queue') as $name) {
                $queue = app('queue')->connection($this->option('connection') ?: null);
                $key = $queue->getQueue($name);
                $redis = $queue->getConnection();
                $sizes[$name] = [
                    'size' => $queue->size($name),
                    'pending' => $redis->llen($key),
                    'delayed' => $redis->zcard($key.':delayed'),
                    'reserved' => $redis->zcard($key.':reserved'),
                ];
            }
            $this->line(json_encode($sizes));
        });

        $this->command('slugs {name*}', function () {
            $this->line(json_encode(array_map(fn ($name) => [Str::slug($name, '_'), Str::slug($name)], $this->argument('name'))));
        });

        // Later versions of the framework set their pause flags this way.
        $this->command('flag {key}', function () {
            app('cache')->store()->forever($this->argument('key'), true);
        });
    }
}
