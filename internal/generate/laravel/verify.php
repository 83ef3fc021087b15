<?php
// Reads generated files back and tells what they hold. Variables are not
// looked up: what is told of them is their name.
final class QueuefleetVariable
{
    public $name;

    public function __construct($name)
    {
        $this->name = $name;
    }
}

function env($name)
{
    return new QueuefleetVariable($name);
}

function queuefleet_tree($value)
{
    switch (true) {
        case is_array($value):
            $pairs = [];
            foreach ($value as $key => $one) {
                $pairs[] = [(string) $key, queuefleet_tree($one)];
            }

            return ['array', $pairs];
        case $value instanceof QueuefleetVariable:
            return ['env', $value->name];
        case is_int($value):
            return ['int', (string) $value];
        case is_float($value):
            return ['float', json_encode($value)];
        case is_bool($value):
            return ['bool', $value];
        case is_null($value):
            return ['null'];
        case is_string($value):
            return ['string', $value];
        default:
            return ['other', gettype($value)];
    }
}

$trees = [];
foreach (array_slice($argv, 1) as $file) {
    $trees[] = queuefleet_tree((static function () use ($file) {
        return require $file;
    })());
}
fwrite(STDOUT, "\nqueuefleet-result ".json_encode($trees, JSON_THROW_ON_ERROR)."\n");
