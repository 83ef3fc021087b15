<?php

namespace App\Jobs;

use Illuminate\Bus\Queueable;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Queue\InteractsWithQueue;

/** A job that takes its time and then ends the way it was told to. */
class Work implements ShouldQueue
{
    use InteractsWithQueue, Queueable;

    public function __construct(public int $number, public int $ms, public ?string $fail, public string $pad)
    {
    }

    public function handle(): void
    {
        // A signal cuts usleep() short, so sleep until the time has come.
        $end = hrtime(true) + $this->ms * 1_000_000;
        while (($left = $end - hrtime(true)) > 0) {
            usleep((int) max(1, $left / 1000));
        }
        match ($this->fail) {
            'throw' => throw new \RuntimeException('told to fail'),
            'exit' => exit(7),
            default => app('redis')->incr('done:'.$this->queue),
        };
    }
}
