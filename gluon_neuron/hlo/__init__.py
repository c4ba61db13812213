"""HLO modules as bytes: read, rewritten, checked and measured without protobuf or XLA."""
