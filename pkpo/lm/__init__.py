"""Language models that solve word problems: tokenizer, decoder, sampler, warm start, evaluation."""
