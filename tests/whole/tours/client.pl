# A tour with Debian's Sys::Virt.
use strict;
use warnings;
use Sys::Virt;
use Sys::Virt::Domain;
use Sys::Virt::Error;
use Sys::Virt::Event;
use Sys::Virt::Network;

sub hold { my ($what, $true) = @_; $true or die "not so: $what\n" }

# The call fails, with this code.
sub refused {
    my ($code, $what, $call) = @_;
    eval { $call->(); 1 } and die "$what is not refused\n";
    my $error = $@;
    hold("$what fails with $code: $error", ref $error && $error->code == $code);
}

open my $file, '<', $ARGV[0] or die "$ARGV[0]: $!\n";
my $document = do { local $/; <$file> };

Sys::Virt::Event::register_default();
my $conn = Sys::Virt->new(uri => 'lxc:///');
hold('type', $conn->get_type eq 'LXC');
hold('version', $conn->get_library_version == 9_000_000 && $conn->get_version > 0);
hold('capabilities', $conn->get_capabilities =~ /<os_type>exe</);
my $info = $conn->get_node_info;
hold('node', $info->{memory} > 0 && $info->{cpus} > 0);
hold('memory of the node', $conn->get_node_memory_stats->{total} > 0);
hold('processors of the node', exists $conn->get_node_cpu_stats->{idle});
hold('nothing beside', !$conn->list_all_storage_pools && !$conn->list_all_secrets && !$conn->list_all_nwfilters);
print "connection\n";

my @seen;
my $callback = $conn->domain_event_register_any(
    undef, Sys::Virt::Domain::EVENT_ID_LIFECYCLE,
    sub { my ($conn, $dom, $event, $detail) = @_; push @seen, $event });

my $dom = $conn->define_domain($document);
hold('defined', $dom->get_name eq 'box' && $dom->is_persistent && !$dom->is_active && $dom->get_id == -1);
hold('the same', $conn->get_domain_by_uuid($dom->get_uuid_string)->get_name eq 'box');
refused(Sys::Virt::Error::ERR_OPERATION_INVALID, 'destroy', sub { $dom->destroy });
refused(Sys::Virt::Error::ERR_NO_DOMAIN, 'lookup', sub { $conn->get_domain_by_name('nobody') });
$dom->create;
hold('running', $dom->is_active && $dom->get_id > 0);
hold('state', ($dom->get_state)[0] == Sys::Virt::Domain::STATE_RUNNING);
hold('info', $dom->get_info->{maxMem} > 0);
hold('memory', $dom->memory_stats->{rss} > 0);
hold('times', ($dom->get_cpu_stats(-1, 1))[0]->{cpu_time} > 0);
$dom->set_memory_parameters({ Sys::Virt::Domain::MEMORY_HARD_LIMIT => 200_000 }, Sys::Virt::Domain::MEM_LIVE);
hold('limit', $dom->get_memory_parameters->{Sys::Virt::Domain::MEMORY_HARD_LIMIT()} == 200_000);
$dom->set_scheduler_parameters({ cpu_shares => 700 });
hold('shares', $dom->get_scheduler_parameters->{cpu_shares} == 700);
my ($stats) = $conn->get_all_domain_stats(Sys::Virt::Domain::STATS_STATE | Sys::Virt::Domain::STATS_BALLOON);
hold('statistics', $stats->{data}->{'state.state'} == 1 && $stats->{data}->{'balloon.rss'} > 0);
$dom->set_metadata(Sys::Virt::Domain::METADATA_DESCRIPTION, 'by perl', undef, undef, 0);
hold('description', $dom->get_metadata(Sys::Virt::Domain::METADATA_DESCRIPTION, undef) eq 'by perl');
refused(Sys::Virt::Error::ERR_NO_SUPPORT, 'snapshots', sub { $dom->num_of_snapshots });
refused(Sys::Virt::Error::ERR_NO_SUPPORT, 'screenshot', sub { $dom->screenshot($conn->new_stream, 0) });
print "running\n";

my $stream = $conn->new_stream;
$dom->open_console($stream, undef);
$stream->send("echo over-\$((1+1))\n", 19);
my $text = '';
while ($text !~ /over-2/) {
    my $part;
    $stream->recv($part, 1024) > 0 or die "the console ended: $text\n";
    $text .= $part;
}
$stream->abort;
print "console\n";

my $net = $conn->get_network_by_name('default');
hold('network', $net->is_active && $net->get_bridge_name eq 'virbr0' && $net->get_xml_description =~ /<ip /);
my $device = "<interface type='network'><mac address='52:54:00:00:78:01'/><source network='default'/></interface>";
$dom->attach_device($device, Sys::Virt::Domain::DEVICE_MODIFY_LIVE);
my ($target) = $dom->get_xml_description =~ /<target dev='(vnet\d+)'/;
hold('interface', exists $dom->interface_stats($target)->{rx_bytes});
$dom->detach_device($device, Sys::Virt::Domain::DEVICE_MODIFY_LIVE);
print "devices\n";

$dom->suspend;
$dom->resume;
$dom->destroy;
$dom->undefine;
# Defined, started, suspended, resumed, stopped, undefined.
Sys::Virt::Event::add_timeout(120_000, sub { die "events: @seen\n" });
Sys::Virt::Event::run_default() while @seen < 6;
hold("order of events: @seen", "@seen" eq '0 2 3 4 5 1');
$conn->domain_event_deregister_any($callback);
print "over\n";
