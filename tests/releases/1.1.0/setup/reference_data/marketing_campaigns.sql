-- What the channels carry, and when.

create table if not exists reference_data.marketing_campaigns (
    campaign_name varchar not null comment 'The campaign; unique',
    channel_name varchar not null comment 'The channel that carries it: marketing_channels.channel_name',
    weight number(12, 6) not null comment 'Share of the channel''s touches while it runs, relative to the channel''s other campaigns',
    active_months varchar not null comment 'Months in which it runs, a JSON array such as [11, 12]; [] for all',
    description varchar comment 'For readers'
)
comment = 'Campaigns by channel and month. One row per campaign.';

-- Defaults are for the first installation: what a consumer deletes stays deleted.
insert into reference_data.marketing_campaigns (campaign_name, channel_name, weight, active_months, description)
select column1, column2, column3, column4, column5
from (
    select *
    from values
        ('weekly_newsletter', 'email', 1.0, '[]', 'What is new'),
        ('holiday_gifts', 'email', 2.0, '[11, 12]', 'Ideas for presents'),
        ('brand_search', 'paid_search', 1.0, '[]', 'The shop''s own name'),
        ('category_search', 'paid_search', 1.5, '[]', 'Names of things'),
        ('always_on_social', 'social_media', 1.0, '[]', 'All year'),
        ('spring_refresh', 'social_media', 1.5, '[3, 4, 5]', 'House and garden'),
        ('back_to_school', 'display', 1.5, '[8, 9]', 'Books, bags, electronics'),
        ('retargeting', 'display', 1.0, '[]', 'Those who have looked'),
        ('partner_program', 'affiliate', 1.0, '[]', 'All year')
    where column2 in (select channel_name from reference_data.marketing_channels)
)
where not exists (select 1 from reference_data.marketing_campaigns);

grant select, insert, update, delete on table reference_data.marketing_campaigns to application role app_admin;
grant select on table reference_data.marketing_campaigns to application role app_analyst;
