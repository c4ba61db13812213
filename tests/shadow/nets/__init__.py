"""The nets, by what they are made of."""
