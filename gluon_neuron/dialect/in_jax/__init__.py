"""The array language in jax: HLO modules for neuronx-cc."""
