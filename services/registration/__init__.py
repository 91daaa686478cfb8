"""Registration (报名) decides who takes part.

People are enrolled once and live encrypted in the vault; applications are reviewed by the station and by
another person at the centre against the centre's rules; an admission ticket follows an approved seat.
"""
