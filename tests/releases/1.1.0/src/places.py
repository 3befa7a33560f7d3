"""Where customers live: real city, state and ZIP triples of the United States, as a table.

State populations in thousands (Census estimates 2023, rounded) and the cities' own, \
which share the state's among them;
sales tax in percent, state and average local (rounded); region: N(ortheast) M(idwest) S(outh) W(est), as the Census
draws them.
"""

import numpy as np

ZONES = (  # name, standard offset from UTC in hours, whether the clocks move in summer
    ("America/New_York", -5, True),
    ("America/Chicago", -6, True),
    ("America/Denver", -7, True),
    ("America/Phoenix", -7, False),
    ("America/Los_Angeles", -8, True),
    ("America/Anchorage", -9, True),
    ("Pacific/Honolulu", -10, False),
)

# state | region | zone | population | tax | city ZIP population of the city, ...
_STATES = """
AL|S|1|5108|9.3|Birmingham 35203 197, Huntsville 35801 222, Montgomery 36104 196, Mobile 36602 183
AK|W|5|733|1.8|Anchorage 99501 287, Fairbanks 99701 32, Juneau 99801 32
AZ|W|3|7431|8.4|Phoenix 85004 1644, Tucson 85701 547, Mesa 85201 512, Chandler 85225 280, Scottsdale 85251 243
AR|S|1|3068|9.5|Little Rock 72201 202, Fayetteville 72701 99, Fort Smith 72901 89
CA|W|4|38965|8.9|Los Angeles 90012 3822, San Diego 92101 1381, San Jose 95113 971, San Francisco 94103 808, \
Fresno 93721 545, \
Sacramento 95814 528, Long Beach 90802 451, Oakland 94612 430, Bakersfield 93301 410, Anaheim 92805 344, \
Riverside 92501 318
CO|W|2|5878|7.8|Denver 80202 713, Colorado Springs 80903 486, Aurora 80012 393, Fort Collins 80521 169
CT|N|0|3617|6.4|Bridgeport 06604 148, Stamford 06901 136, New Haven 06510 135, Hartford 06103 120
DE|S|0|1032|0|Wilmington 19801 71, Dover 19901 39, Newark 19711 30
DC|S|0|679|6.0|Washington 20001 679
FL|S|0|22611|7.0|Jacksonville 32202 971, Miami 33130 449, Tampa 33602 398, Orlando 32801 316, \
St. Petersburg 33701 261, \
Fort Lauderdale 33301 183, Tallahassee 32301 201, Cape Coral 33904 216
GA|S|0|11029|7.4|Atlanta 30303 499, Augusta 30901 202, Columbus 31901 203, Savannah 31401 148, Athens 30601 128
HI|W|6|1435|4.5|Honolulu 96813 343, Hilo 96720 44
ID|W|2|1965|6.0|Boise 83702 236, Meridian 83642 129, Idaho Falls 83402 68
IL|M|1|12550|8.9|Chicago 60601 2665, Aurora 60505 177, Naperville 60540 150, Rockford 61101 146, Springfield 62701 113
IN|M|0|6862|7.0|Indianapolis 46204 880, Fort Wayne 46802 268, South Bend 46601 103, Bloomington 47404 79
IA|M|1|3207|6.9|Des Moines 50309 211, Cedar Rapids 52401 136, Davenport 52801 100
KS|M|1|2940|8.7|Wichita 67202 396, Overland Park 66204 197, Topeka 66603 125
KY|S|0|4526|6.0|Louisville 40202 625, Lexington 40507 320, Covington 41011 41
LA|S|1|4574|9.6|New Orleans 70112 369, Baton Rouge 70801 221, Shreveport 71101 180, Lafayette 70501 121
ME|N|0|1396|5.5|Portland 04101 69, Bangor 04401 32, Lewiston 04240 38
MD|S|0|6180|6.0|Baltimore 21202 570, Frederick 21701 83, Rockville 20850 67, Annapolis 21401 41
MA|N|0|7001|6.3|Boston 02108 651, Worcester 01608 205, Springfield 01103 154, Cambridge 02139 118, Lowell 01852 114
MI|M|0|10037|6.0|Detroit 48226 620, Grand Rapids 49503 196, Ann Arbor 48104 120, Lansing 48933 112, Flint 48502 80
MN|M|1|5738|8.0|Minneapolis 55401 425, St. Paul 55101 303, Rochester 55902 122, Duluth 55802 86
MS|S|1|2940|7.1|Jackson 39201 146, Gulfport 39501 73, Hattiesburg 39401 48
MO|M|1|6196|8.4|Kansas City 64106 510, St. Louis 63101 287, Springfield 65806 170, Columbia 65201 129
MT|W|2|1133|0|Billings 59101 120, Missoula 59801 77, Bozeman 59715 56
NE|M|1|1978|7.0|Omaha 68102 485, Lincoln 68508 292, Grand Island 68801 53
NV|W|4|3194|8.2|Las Vegas 89101 656, Henderson 89002 331, Reno 89501 274
NH|N|0|1402|0|Manchester 03101 115, Nashua 03060 91, Concord 03301 44
NJ|N|0|9291|6.6|Newark 07102 305, Jersey City 07302 287, Paterson 07505 156, Trenton 08608 90, Edison 08817 107
NM|W|2|2114|7.6|Albuquerque 87102 561, Las Cruces 88001 113, Santa Fe 87501 89
NY|N|0|19571|8.5|New York 10001 3596, Brooklyn 11201 2590, Bronx 10451 1380, Staten Island 10301 491, \
Buffalo 14202 276, \
Rochester 14604 209, Yonkers 10701 208, Syracuse 13202 145, Albany 12207 101
NC|S|0|10835|7.0|Charlotte 28202 897, Raleigh 27601 476, Greensboro 27401 302, Durham 27701 291, \
Winston-Salem 27101 252
ND|M|1|784|7.0|Fargo 58102 131, Bismarck 58501 75
OH|M|0|11786|7.2|Columbus 43215 908, Cleveland 44113 361, Cincinnati 45202 309, Toledo 43604 266, Akron 44308 188, \
Dayton 45402 136
OK|S|1|4054|9.0|Oklahoma City 73102 695, Tulsa 74103 411, Norman 73069 129
OR|W|4|4233|0|Portland 97204 635, Salem 97301 178, Eugene 97401 178, Bend 97701 104
PA|N|0|12962|6.3|Philadelphia 19103 1567, Pittsburgh 15222 303, Allentown 18101 125, Erie 16501 93, Scranton 18503 76
RI|N|0|1096|7.0|Providence 02903 190, Warwick 02886 83
SC|S|0|5374|7.5|Charleston 29401 153, Columbia 29201 140, Greenville 29601 72
SD|M|1|919|6.1|Sioux Falls 57104 202, Rapid City 57701 78
TN|S|1|7126|9.6|Nashville 37203 684, Memphis 38103 621, Clarksville 37040 176, Murfreesboro 37130 163
TX|S|1|30503|8.2|Houston 77002 2303, San Antonio 78205 1473, Dallas 75201 1300, Austin 78701 975, \
Fort Worth 76102 957, \
Arlington 76010 395, Corpus Christi 78401 316, Plano 75074 290, Lubbock 79401 264, Laredo 78040 257
UT|W|2|3418|7.3|Salt Lake City 84101 204, West Valley City 84119 137, Provo 84601 114, St. George 84770 102
VT|N|0|647|6.4|Burlington 05401 45, Rutland 05701 16
VA|S|0|8716|5.8|Virginia Beach 23451 456, Richmond 23219 229, Norfolk 23510 233, Arlington 22201 234, Roanoke 24011 98
WA|W|4|7813|9.4|Seattle 98101 749, Spokane 99201 230, Tacoma 98402 222, Vancouver 98660 196, Bellevue 98004 151
WV|S|0|1770|6.6|Charleston 25301 47, Huntington 25701 46, Morgantown 26505 30
WI|M|1|5911|5.7|Milwaukee 53202 563, Madison 53703 272, Green Bay 54301 106
WY|W|2|584|5.4|Cheyenne 82001 64, Casper 82601 58
"""

CITY, STATE, ZIP_CODE = [], [], []
STATES: list[str] = []  # a customer's state travels as its index here
_regions, _taxes, _zones, _weights, _state_indexes = [], [], [], [], []
for _line in _STATES.strip().splitlines():
    _state, _region, _zone, _population, _tax, _cities = _line.split("|")
    STATES.append(_state)
    _regions.append("NMSW".index(_region))
    _taxes.append(float(_tax))
    _parts = [_city.rsplit(" ", 2) for _city in _cities.split(", ")]
    _total = sum(int(_size) for _, _, _size in _parts)
    for _city, _zip_code, _size in _parts:
        CITY.append(_city)
        STATE.append(_state)
        ZIP_CODE.append(_zip_code)
        _zones.append(int(_zone))
        _state_indexes.append(len(STATES) - 1)
        _weights.append(int(_population) * int(_size) // _total + 1)

PLACE_WEIGHTS = np.array(_weights, dtype=np.float64)
PLACE_ZONE = np.array(_zones, dtype=np.int64)
PLACE_STATE = np.array(_state_indexes, dtype=np.int64)
STATE_REGION = np.array(_regions, dtype=np.int64)
STATE_TAX_RATIO = (
    np.array(_taxes) / 7.6
)  # 7.6 % is the mean over the population, so the parameter tax_rate is the mean rate
ZONE_SHARE = np.bincount(PLACE_ZONE, weights=PLACE_WEIGHTS, minlength=len(ZONES)) / np.cumsum(PLACE_WEIGHTS)[-1]
REGION_SHARE = np.bincount(STATE_REGION[PLACE_STATE], weights=PLACE_WEIGHTS, minlength=4) / np.cumsum(PLACE_WEIGHTS)[-1]
