package mixin

// Evaluate lets tests look into the mixin.
var Evaluate = evaluate
