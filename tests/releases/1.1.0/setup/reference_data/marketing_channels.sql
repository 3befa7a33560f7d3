-- Through what customers are won and reached.

create table if not exists reference_data.marketing_channels (
    channel_name varchar not null comment 'The channel; unique',
    cost_per_acquisition number(12, 2) not null comment 'Cost of the clicks behind one sign-up, USD',
    conversion_rate number(9, 6) not null comment 'Share of paid clicks that end in a sign-up; sign-ups come through channels in proportion to it',
    engagement_rate number(9, 6) not null comment 'Share of the impressions on existing customers that are clicked',
    description varchar comment 'For readers'
)
comment = 'Marketing channels: what a sign-up costs, how many clicks convert, how many impressions engage. One row per channel.';

-- Defaults are for the first installation: what a consumer deletes stays deleted.
insert into reference_data.marketing_channels (channel_name, cost_per_acquisition, conversion_rate, engagement_rate, description)
select column1, column2, column3, column4, column5
from values
    ('email', 9.00, 0.30, 0.24, 'Newsletters and offers by mail'),
    ('paid_search', 34.00, 0.26, 0.08, 'Advertisements beside search results'),
    ('social_media', 27.00, 0.20, 0.12, 'Posts and advertisements in social networks'),
    ('display', 42.00, 0.14, 0.03, 'Banners on other sites'),
    ('affiliate', 21.00, 0.22, 0.06, 'Partners who are paid per sign-up')
where not exists (select 1 from reference_data.marketing_channels);

grant select, insert, update, delete on table reference_data.marketing_channels to application role app_admin;
grant select on table reference_data.marketing_channels to application role app_analyst;
