"""What the business is made of besides the consumer's tables: short lists and curves, each with where it comes from."""

import numpy as np

# Sales of each month as a share of the mean month: US Census Bureau, combined seasonal factors (nadjusts.txt; * from
# 2012-13).
CENSUS_MONTHS = {
    "all_retail": (0.918, 0.879, 1.002, 1.002, 1.051, 0.988, 1.026, 1.015, 0.966, 1.019, 1.021, 1.114),
    "home": (0.910, 0.907, 1.002, 0.973, 1.026, 0.962, 1.013, 1.034, 1.006, 1.006, 1.091, 1.073),
    "electronics": (0.943, 0.880, 0.942, 0.892, 0.977, 0.943, 0.977, 0.983, 0.952, 0.967, 1.169, 1.373),
    "garden": (0.816, 0.787, 0.979, 1.104, 1.173, 1.087, 1.079, 1.007, 1.006, 1.081, 0.969, 0.907),
    "food": (0.988, 0.907, 0.985, 0.980, 1.042, 0.987, 1.027, 1.018, 0.969, 1.007, 1.024, 1.067),
    "clothing": (0.752, 0.891, 1.003, 0.952, 1.009, 0.942, 0.913, 1.032, 0.913, 0.941, 1.096, 1.555),  # *
    "hobby": (0.956, 0.830, 0.952, 0.870, 0.921, 0.970, 0.910, 1.156, 0.937, 0.853, 1.041, 1.600),  # *
    "general": (0.868, 0.933, 0.979, 0.964, 0.989, 0.974, 0.945, 0.993, 0.914, 0.956, 1.097, 1.383),  # *
    "beauty": (1.013, 0.984, 1.038, 0.983, 1.022, 0.977, 0.967, 1.007, 0.940, 1.005, 0.980, 1.087),  # *
}
CENSUS_PEAKS = {  # the months that stand out; a category that names the same months keeps the census curve exactly
    "all_retail": (12,),
    "home": (11, 12),
    "electronics": (11, 12),
    "garden": (4, 5, 6, 7),
    "food": (12,),
    "clothing": (11, 12),
    "hobby": (8, 12),
    "general": (11, 12),
    "beauty": (12,),
}

HOLIDAYS = (  # month, day or (weekday, which one: -1 is the last), days after it, factor on the day's business
    (1, 1, 0, 0.60),
    (2, 14, -1, 1.15),
    (5, (0, -1), 0, 1.15),  # Memorial Day
    (7, 4, 0, 0.80),
    (9, (0, 1), 0, 1.15),  # Labor Day
    (11, (3, 4), 0, 0.85),  # Thanksgiving
    (11, (3, 4), 1, 2.20),  # Black Friday
    (11, (3, 4), 2, 1.50),
    (11, (3, 4), 3, 1.40),
    (11, (3, 4), 4, 2.10),  # Cyber Monday
    (12, 24, 0, 0.80),
    (12, 25, 0, 0.40),
    (12, 26, 0, 1.25),
)

GENDERS = (("female", 0.51), ("male", 0.48), ("other", 0.01))
FIRST_NAMES = {
    "female": "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Karen Sarah Lisa Nancy Sandra Ashley Emily "
    "Kimberly Margaret Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca Laura Helen Sharon Cynthia "
    "Amy Maria Angela Sofia Priya Mei Fatima Aaliyah Camila Keisha Hannah".split(),
    "male": "James Robert John Michael David William Richard Joseph Thomas Christopher Charles Daniel Matthew Anthony "
    "Mark Steven Andrew Joshua Kenneth Kevin Brian Timothy Ronald Jason Edward Jeffrey Ryan Jacob Nicholas Gary "
    "Luis Carlos Omar Wei Arjun Malik Diego Andre Samuel Ethan".split(),
    "other": "Alex Jordan Taylor Casey Riley Avery Quinn Rowan Sage Skyler Emerson Finley Reese Hayden".split(),
}
LAST_NAMES = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson "
    "Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis "
    "Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera "
    "Campbell Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart "
    "Morris Kim Patel Chen Singh Kowalski O'Brien"
).split()

# Median income by age, as a share of the median over all ages (Census, Current Population Survey 2023, rounded), from
# 18 in steps of ten.
INCOME_BY_AGE = np.array([0.48, 0.86, 1.10, 1.22, 1.12, 0.86, 0.66, 0.60])
MEDIAN_INCOME = 62_000.0
INCOME_SPREAD = 0.45  # standard deviation of log income within one age and segment

SALES_CHANNELS = ("web", "app", "store", "phone")
CHANNEL_AGE_TILT = np.array([0.0, -0.5, 0.4, 0.6])  # of each channel's weight, per 30 years of age above 48
DEVICES = {  # what an order through the channel is made with, with weights
    "web": (("desktop", 0.55), ("mobile", 0.35), ("tablet", 0.10)),
    "app": (("ios", 0.55), ("android", 0.45)),
    "store": (("pos", 1.0),),
    "phone": (("phone", 1.0),),
}
PAYMENTS = {
    "web": (("credit_card", 0.52), ("debit_card", 0.18), ("digital_wallet", 0.25), ("gift_card", 0.05)),
    "app": (("credit_card", 0.40), ("debit_card", 0.15), ("digital_wallet", 0.42), ("gift_card", 0.03)),
    "store": (("credit_card", 0.45), ("debit_card", 0.30), ("cash", 0.15), ("digital_wallet", 0.10)),
    "phone": (("credit_card", 0.75), ("debit_card", 0.25)),
}
SHIPPING = {
    "web": (("standard", 0.68), ("express", 0.18), ("overnight", 0.04), ("pickup", 0.10)),
    "app": (("standard", 0.64), ("express", 0.18), ("overnight", 0.04), ("pickup", 0.14)),
    "store": (("pickup", 1.0),),
    "phone": (("standard", 0.80), ("express", 0.20)),
}
SHIPPING_METHODS = ("standard", "express", "overnight", "pickup")
SHIPPING_COST = np.array([0.25, 0.50, 1.00, 0.0])  # of the parameter shipping_cost_max
TRANSIT_DAYS = np.array([(3, 7), (2, 3), (1, 1), (0, 0)])  # first and last day of delivery after the order

BASKET_SIZES = np.array([0.44, 0.27, 0.14, 0.08, 0.05, 0.02])  # 1 to 6 lines wanted; a small budget buys fewer
DISCOUNT_RATES = np.array([0.25, 0.5, 0.75, 1.0])  # of the parameter discount_max
BRANDS = (
    "Northfield Aldervale Kestrel Lumora Brightwater Ironwood Sable Meridian Juniper Harbor Vantage Oakline "
    "Solstice Pinecrest Cobalt Willowby Ember Tidewater Granite Larkspur"
).split()
ADJECTIVES = "Classic Essential Premium Compact Everyday Signature Ultra Heritage Lite Pro Urban Deluxe".split()

RETURN_REASONS = (
    ("changed_mind", 0.30),
    ("wrong_size_or_fit", 0.25),
    ("not_as_described", 0.18),
    ("defective", 0.17),
    ("arrived_late", 0.10),
)
DELAY_REASONS = (("carrier", 0.5), ("weather", 0.2), ("labour", 0.2), ("system_outage", 0.1))
