"""Two runs against each other: is the new one worse, better, the same, or can nobody tell?"""
