"""Certification (证书核发) decides what follows.

The evidence of a candidate's way is filed as it happens; a certificate is approved only from a whole chain
and a passed result, gets the next number of its book, and carries the digest of its evidence.
"""
